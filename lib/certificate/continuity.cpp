#include "certificate/continuity.h"

#include "base/json.h"

namespace aierase::certificate {
namespace {

std::string heads(const translog::Checkpoint& earlier, const translog::Checkpoint& later) {
  return "the head of " + std::to_string(earlier.size) + " and that of " +
         std::to_string(later.size) + " leaves";
}

}  // namespace

void Continuity::add_proof(std::uint64_t old_size, translog::Checkpoint head,
                           translog::Proof proof) {
  links_.push_back({old_size, std::move(head), std::move(proof)});
}

void Continuity::add_tree(const std::string& origin, Roots roots, HeadOf of) {
  trees_.push_back({origin, std::move(roots), of});
}

Continuity::Shown Continuity::shown(const translog::Checkpoint& earlier,
                                    const translog::Checkpoint& later) const {
  Shown most = Shown::nothing;
  for (const Link& link : links_) {
    if (link.old_size != earlier.size || link.head.origin != later.origin ||
        link.head.size != later.size || link.head.root != later.root) {
      continue;
    }
    if (translog::is_consistent(earlier.size, earlier.root, later.size, later.root, link.proof)) {
      return Shown::linked;
    }
    most = Shown::broken_proof;
  }
  for (const Tree& tree : trees_) {
    if (tree.origin != earlier.origin || tree.origin != later.origin) continue;
    const auto before = tree.roots.find(earlier.size);
    const auto after = tree.roots.find(later.size);
    if (before == tree.roots.end() || after == tree.roots.end()) continue;
    if (before->second == earlier.root && after->second == later.root) return Shown::linked;
    if (tree.of == HeadOf::the_log) most = Shown::refuted;
  }
  return most;
}

bool HeadsSeen::add(const translog::Checkpoint& head, const std::string& vouched_by) {
  return roots_.try_emplace({head.origin, vouched_by, head.size}, head.root).first->second ==
         head.root;
}

Check Continuity::check(const translog::Checkpoint& head, HeadOf of) const {
  const bool both_of_the_log = of == HeadOf::the_log && from_of_ == HeadOf::the_log;
  const auto failed = [](std::string why) {
    return Check{"consistency", CheckResult::failed, std::move(why)};
  };
  if (head.origin != from_.origin) {
    return failed("This is of the log " + quoted(head.origin) +
                  ", and the checkpoint to compare "
                  "with of the log " +
                  quoted(from_.origin) + ".");
  }
  if (head.size == from_.size) {
    if (head.root == from_.root) {
      return {"consistency", CheckResult::passed, "It is the very head to compare with."};
    }
    if (!both_of_the_log) {
      return failed("Not shown: these are two heads of " + std::to_string(head.size) +
                    " leaves with different roots, and no trusted key of the log has signed both, "
                    "so either may be nobody's word.");
    }
    return failed("FORKED: two heads of " + std::to_string(head.size) +
                  " leaves with different roots. This log was told differently to different "
                  "readers.");
  }
  const bool grown = head.size > from_.size;
  const translog::Checkpoint& earlier = grown ? from_ : head;
  const translog::Checkpoint& later = grown ? head : from_;
  const Shown known = shown(earlier, later);
  if (known == Shown::linked) {
    return {"consistency", CheckResult::passed,
            "Proven: " + heads(earlier, later) +
                " are of one history, with nothing dropped, "
                "replaced or put elsewhere between them."};
  }
  if (known == Shown::refuted && both_of_the_log) {
    return failed("FORKED: " + heads(earlier, later) +
                  " are not of one history: leaves were dropped, replaced or put elsewhere.");
  }
  if (known == Shown::broken_proof) {
    return failed("Not shown: the proof at hand does not lead from one head to the other, of " +
                  heads(earlier, later) + ". It was changed, or is of another head.");
  }
  return failed("Not shown: nothing here proves that " + heads(earlier, later) +
                " are of one history. `aierase log checkpoint FILE --from CHECKPOINT` writes such "
                "a proof, and the directory of the log has it: name it beside this file.");
}

}  // namespace aierase::certificate
