// A random history of one store, and the model that judges it.
//
// Contract: the model knows only what was asked and what was answered: what was answered with yes
// is so for ever, what was not answered is there whole or not at all. Failures are reported to
// GoogleTest with the act in which they were seen. The same seed makes the same choices; ids of
// assets are random in every run.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "fault/support/crashes.h"

namespace aierase::test {

// What may be true of an asset: one state, or several after an act that nobody answered.
struct Known {
  std::set<domain::AssetState> may{domain::AssetState::active};
  bool held = false;
  std::optional<Uuid> plan;  // open, and naming it
  enum class Certainty { answered, unanswered } certainty = Certainty::answered;

  bool is(domain::AssetState state) const { return may.size() == 1 && may.count(state) == 1; }
};

// An import that nobody answered.
struct Unborn {
  ImportWish wish;
  Bytes key;
};

struct Act {
  std::string text;
  std::function<Status()> run;
  std::set<Errc> refusals = {};              // empty: it has to be answered with yes
  std::function<void()> answered = [] {};    // what it has done
  std::function<void()> unanswered = [] {};  // what it may have done
  enum class Fault { by_chance, in_the_act } fault = Fault::by_chance;
};

class History {
 public:
  explicit History(std::uint64_t seed);
  // Ends early at the first failure.
  void live(std::size_t acts);

  std::size_t falls() const { return falls_; }
  std::size_t nested() const { return nested_; }
  std::size_t answered() const { return answered_; }
  std::size_t erased() const { return names_in_state(domain::AssetState::erased).size(); }
  std::size_t held() const { return seen_.held.size(); }

 private:
  std::uint64_t roll(std::uint64_t sides) { return random_() % sides; }

  // ---- one act, and what may come between ----------------------------------------------------
  void perform(const Act& act);
  void order_fault(std::uint64_t operations, std::uint64_t syncs);
  void disarm();
  void crash();
  void fall();
  void restart() { ASSERT_TRUE(done(world_.open())); }

  // ---- the model and the store ---------------------------------------------------------------
  void look(Look how);
  void settle_imports();
  void compare(const std::string& name, Known& known);

  // From now on the certificate's bytes never change, whoever wrote them.
  void remember_statements();

  // ---- choices -------------------------------------------------------------------------------
  std::vector<std::string> names_that(const std::function<bool(const Known&)>& fits) const;
  std::vector<std::string> names_in_state(domain::AssetState state) const;
  std::string any();
  std::string new_name(const char* what) { return what + std::to_string(++names_); }
  Act choose();
  Act import_model();
  Act leave_an_import();
  Act import_key();

  // What people may do with an asset of this state, and how they are answered otherwise.
  std::set<Errc> refusals(const std::string& name, domain::AssetState needed) const;
  Act change(const std::string& name, domain::AssetState from, domain::AssetState to);
  Act suspend(const std::string& name);
  Act resume(const std::string& name);
  Act read(const std::string& name);
  Act hold(const std::string& name);
  Act request();
  void doubt(const std::vector<std::string>& names);
  std::vector<std::string> names_of(const Uuid& plan) const;
  // Approves, rejects or cancels a plan, as its state allows.
  Act decide();
  Act about_plan(std::string text, const Uuid& plan);
  Act approve(const Uuid& plan, const std::string& digest);
  Act reject(const Uuid& plan);
  Act cancel(const Uuid& plan);

  // Everything that is due; now and then a hold comes in the midst of it, for whom it may concern.
  Act execute();
  Act pass_time();

  World world_;
  std::mt19937_64 random_;
  std::map<std::string, Known> known_;
  std::map<std::string, Unborn> unborn_;
  std::set<std::string> absent_;  // left or lost imports
  Seen seen_;
  std::size_t names_ = 0;
  std::size_t falls_ = 0, nested_ = 0, answered_ = 0;
};

}  // namespace aierase::test
