#include <algorithm>

#include "catalog/row.h"
#include "catalog/state_row.h"

namespace aierase::catalog {
namespace {

constexpr std::string_view kTwoPerson = "two-person";
constexpr std::string_view kSingleOperator = "single-operator";

std::string_view rule_text(domain::PeopleRule rule) {
  return rule == domain::PeopleRule::two_person ? kTwoPerson : kSingleOperator;
}

std::optional<domain::PeopleRule> parse_rule(std::string_view text) {
  if (text == kTwoPerson) return domain::PeopleRule::two_person;
  if (text == kSingleOperator) return domain::PeopleRule::single_operator;
  return std::nullopt;
}

Bytes joined(const std::vector<Digest>& digests) {
  Bytes bytes;
  bytes.reserve(digests.size() * sizeof(Digest));
  for (const Digest& digest : digests) append(bytes, digest);
  return bytes;
}

std::vector<Digest> split(ByteView bytes) {
  std::vector<Digest> digests(bytes.size() / sizeof(Digest));
  for (std::size_t i = 0; i < digests.size(); ++i) {
    const ByteView one = bytes.subspan(i * sizeof(Digest), sizeof(Digest));
    std::copy(one.begin(), one.end(), digests[i].begin());
  }
  return digests;
}

// The number of complete subtrees of a tree of that size: its one bits.
std::size_t subtrees(std::uint64_t size) {
  std::size_t count = 0;
  for (; size != 0; size &= size - 1) ++count;
  return count;
}

}  // namespace

Status insert_state(Connection& connection, const StoreState& state) {
  const Result<std::int64_t> written = connection.write(
      "INSERT INTO store (only_row, uuid, format, created, machine_id_digest, people_rule, "
      "at_rest, epoch, generation, next_leaf, log_size, log_frontier, log_root, hold_count, "
      "trusted_time, last_wall, last_boottime, last_boot_id) "
      "VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      state.store, state.format, state.created, state.machine_id_digest,
      rule_text(state.people_rule), domain::to_text(state.at_rest), state.epoch, state.generation,
      state.next_leaf, state.log.size, joined(state.log.frontier), state.log.root, state.hold_count,
      state.trusted, state.last_wall, state.last_boottime, state.last_boot_id);
  if (!written.ok()) return written.error();
  return {};
}

Status Transaction::put_state(const StoreState& state) {
  ASSIGN_OR_RETURN(
      const std::int64_t changed,
      connection_->write(
          "UPDATE store SET uuid = ?, format = ?, created = ?, machine_id_digest = ?, "
          "people_rule = ?, at_rest = ?, epoch = ?, generation = ?, next_leaf = ?, log_size = ?, "
          "log_frontier = ?, log_root = ?, hold_count = ?, trusted_time = ?, last_wall = ?, "
          "last_boottime = ?, "
          "last_boot_id = ? WHERE only_row = 1",
          state.store, state.format, state.created, state.machine_id_digest,
          rule_text(state.people_rule), domain::to_text(state.at_rest), state.epoch,
          state.generation, state.next_leaf, state.log.size, joined(state.log.frontier),
          state.log.root, state.hold_count, state.trusted, state.last_wall, state.last_boottime,
          state.last_boot_id));
  if (changed != 1) {
    return make_error(Errc::damaged, "the catalog is damaged: table store has no row",
                      "restore catalog and blobs from one backup", "store");
  }
  return {};
}

std::int64_t ReadView::rows_changed() const {
  return static_cast<std::int64_t>(sqlite3_total_changes64(connection_->handle()));
}

Result<StoreState> ReadView::state() const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare(
          "SELECT uuid, format, created, machine_id_digest, people_rule, at_rest, epoch, "
          "generation, next_leaf, log_size, log_frontier, log_root, hold_count, trusted_time, "
          "last_wall, "
          "last_boottime, last_boot_id FROM store WHERE only_row = 1"));
  ASSIGN_OR_RETURN(const bool there, statement.step());
  if (!there) {
    return make_error(Errc::damaged, "the catalog is damaged: table store has no row",
                      "restore catalog and blobs from one backup", "store");
  }
  Row row(statement, "store");
  StoreState state;
  state.store = row.uuid();
  state.format = row.integer();
  state.created = row.time();
  state.machine_id_digest = row.text();
  state.people_rule = row.word(parse_rule);
  state.at_rest = row.word(domain::parse_at_rest);
  state.epoch = row.count();
  state.generation = row.count();
  state.next_leaf = row.number();
  state.log.size = row.count();
  const Bytes frontier = row.blob();
  if (frontier.size() != subtrees(state.log.size) * sizeof(Digest)) {
    row.fail("does not fit the size of the log");
  }
  state.log.frontier = split(frontier);
  state.log.root = row.digest();
  state.hold_count = row.count();
  state.trusted = row.time();
  state.last_wall = row.time();
  state.last_boottime = row.integer();
  state.last_boot_id = row.text();
  RETURN_IF_ERROR(row.finish("1"));
  return state;
}

Result<StoreCounts> ReadView::counts() const {
  StoreCounts counts;
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT what, rows, bytes FROM tally"));
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "tally");
    const std::string what = row.text();
    const std::uint64_t rows = row.count();
    const std::uint64_t bytes = row.count();
    RETURN_IF_ERROR(row.finish(what));
    if (what.starts_with("asset ") && what != "asset erased") counts.bytes += bytes;
    if (what == "asset active") counts.active = rows;
    if (what == "asset suspended") counts.suspended = rows;
    if (what == "asset retired") counts.retired = rows;
    if (what == "asset erasing") counts.erasing = rows;
    if (what == "asset erased") counts.erased = rows;
    if (what == "plan requested" || what == "plan approved" || what == "plan running") {
      counts.open_plans += rows;
    }
    if (what.starts_with("certificate ")) counts.certificates += rows;
    return {};
  }));
  ASSIGN_OR_RETURN(Statement holds,
                   connection_->prepare("SELECT count(*) FROM hold INDEXED BY hold_in_force "
                                        "WHERE lifted IS NULL"));
  ASSIGN_OR_RETURN(const bool there, holds.step());
  if (!there) return counts;
  Row row(holds, "hold");
  counts.holds = row.count();
  RETURN_IF_ERROR(row.finish("count"));
  return counts;
}

}  // namespace aierase::catalog
