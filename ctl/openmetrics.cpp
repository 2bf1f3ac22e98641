#include "ctl/openmetrics.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "ctl/render.h"

namespace aierase::ctl {
namespace {

constexpr std::string_view kPrefix = "aierase_";

using Labels = std::vector<std::pair<std::string_view, std::string>>;

// In label values and help texts.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char character : printable(text)) {
    if (character == '\\' || character == '"') result += '\\';
    result += character;
  }
  return result;
}

class Metrics {
 public:
  // `unit` is empty, or the end of `name`.
  void family(std::string_view name, std::string_view type, std::string_view unit,
              std::string_view help) {
    family_ = std::string(kPrefix) + std::string(name);
    suffix_ = type == "counter" ? "_total" : type == "info" ? "_info" : "";
    text_ += "# TYPE " + family_ + " " + std::string(type) + "\n";
    if (!unit.empty()) text_ += "# UNIT " + family_ + " " + std::string(unit) + "\n";
    text_ += "# HELP " + family_ + " " + escaped(help) + "\n";
  }
  void sample(std::uint64_t value, const Labels& labels = {}) {
    std::string inside;
    for (const auto& [name, content] : labels) {
      inside += (inside.empty() ? "" : ",") + std::string(name) + "=\"" + escaped(content) + "\"";
    }
    text_ += family_ + suffix_ + (inside.empty() ? "" : "{" + inside + "}") + " " +
             std::to_string(value) + "\n";
  }
  // One sample for each entry of an object of numbers.
  void samples(const Json& counts, std::string_view label) {
    for (auto count = counts.begin(); count != counts.end(); ++count) {
      sample(number_at(counts, count.key()), {{label, count.key()}});
    }
  }
  void gauge(std::string_view name, std::string_view unit, std::string_view help,
             std::uint64_t value) {
    family(name, "gauge", unit, help);
    sample(value);
  }
  std::string finish() { return std::move(text_) + "# EOF\n"; }

 private:
  std::string text_, family_, suffix_;
};

void add_state(Metrics& metrics, const Json& status) {
  metrics.family("build", "info", "", "The daemon that answers.");
  metrics.sample(1, {{"version", text_at(status, "version")}});
  metrics.family("store_state", "stateset", "", "Whether the store is open, and if not, why.");
  const std::string now = text_at(status, "state");
  for (const char* state :
       {"uninitialised", "locked", "open", "damaged", "foreign", "newer-format"}) {
    metrics.sample(now == state ? 1 : 0, {{"aierase_store_state", state}});
  }
  metrics.gauge("findings", "", "Facts of the host that certificates carry.",
                list_at(status, "findings").size());
}

void add_counts(Metrics& metrics, const Json& status, const Json& measures) {
  const Json& store = object_at(status, "store");
  metrics.family("assets", "gauge", "", "Assets by state.");
  metrics.samples(object_at(store, "assets"), "state");
  metrics.gauge("content_bytes", "bytes", "Plaintext of all assets that are not erased.",
                number_at(store, "bytes"));
  metrics.family("plans", "gauge", "", "Plans by state.");
  metrics.samples(object_at(measures, "plans"), "state");
  metrics.family("certificates", "gauge", "", "Disposal certificates by validation.");
  metrics.samples(object_at(measures, "certificates"), "validation");
  metrics.gauge("holds", "", "Legal holds in force.", number_at(store, "holds"));
  metrics.gauge("root_epoch", "", "Epoch of the root secret: one more with each erase round.",
                number_at(store, "epoch"));
  metrics.family("root_rotations_last_day", "gauge", "",
                 "Rotations of the root secret in the last 24 hours: above 50 a TPM wears out.");
  for (const Json& slot : list_at(status, "root_slots")) {
    metrics.sample(number_at(slot, "rotations_last_day"), {{"kind", text_at(slot, "kind")}});
  }
}

void add_growth(Metrics& metrics, const Json& store, const Json& measures) {
  metrics.family("log_leaves", "counter", "", "Entries of the transparency log.");
  metrics.sample(number_at(store, "log_size"));
  metrics.family("key_rotations", "counter", "",
                 "Times that the keys of signer and log were replaced.");
  metrics.sample(number_at(measures, "key_rotations"));
  metrics.family("audit_rows", "counter", "", "Rows of the audit.");
  metrics.sample(number_at(measures, "audit_rows"));
}

void add_enforcement(Metrics& metrics, const Json& measures) {
  if (holds(measures, "enforce_ended")) {
    metrics.gauge("enforce_last_run_timestamp_seconds", "seconds",
                  "When the last run of enforce ended.", number_at(measures, "enforce_ended"));
  }
  if (holds(measures, "enforce_succeeded")) {
    metrics.gauge("enforce_last_success_timestamp_seconds", "seconds",
                  "When a run of enforce last came through.",
                  number_at(measures, "enforce_succeeded"));
  }
  metrics.gauge("overdue_assets", "",
                "Due and waiting for people for more than a day, as the last run found.",
                number_at(measures, "overdue"));
  metrics.gauge("enforce_alarms", "",
                "1 or more where runs of enforce do not come through, or assets are overdue.",
                number_at(measures, "alarms"));
  metrics.gauge("braked_plans", "", "Plans that the brake holds until one more person approves.",
                number_at(measures, "braked_plans"));
  metrics.gauge("clock_guard_closed", "",
                "1 while the clock is not believed and nothing is erased unattended.",
                text_at(measures, "clock_guard") == "closed" ? 1 : 0);
}

void add_times(Metrics& metrics, const Json& measures) {
  if (holds(measures, "oldest_open_plan")) {
    metrics.gauge("oldest_open_plan_timestamp_seconds", "seconds",
                  "When the oldest plan was made that has not ended.",
                  number_at(measures, "oldest_open_plan"));
  }
  if (holds(measures, "last_erasure")) {
    metrics.gauge("last_erasure_timestamp_seconds", "seconds",
                  "When the latest certified erasure was done.",
                  number_at(measures, "last_erasure"));
  }
  metrics.gauge("clock_timestamp_seconds", "seconds", "The daemon's clock.",
                number_at(measures, "now"));
  metrics.gauge("clock_synchronised", "", "1 where the kernel says that the clock is synchronised.",
                text_at(measures, "clock_synchronised") == "yes" ? 1 : 0);
}

}  // namespace

std::string openmetrics(const Json& status) {
  Metrics metrics;
  add_state(metrics, status);
  if (holds(status, "measures")) {
    const Json& measures = object_at(status, "measures");
    add_counts(metrics, status, measures);
    add_growth(metrics, object_at(status, "store"), measures);
    add_times(metrics, measures);
    add_enforcement(metrics, measures);
  }
  return metrics.finish();
}

}  // namespace aierase::ctl
