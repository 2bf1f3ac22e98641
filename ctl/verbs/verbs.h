// One function per verb of the table in verb.h.
//
// Contract: each acts once and returns the exit code, or an Error that main tells; it prints only
// through its Session's Output. Offline verbs open no bus. Specified in: aierase(1).
#pragma once

#include "base/result.h"
#include "ctl/session.h"

namespace aierase::ctl {

Result<int> run_init(Session& session);
Result<int> run_unlock(Session& session);
Result<int> run_slot_move(Session& session);
Result<int> run_status(Session& session);
Result<int> run_doctor(Session& session);
Result<int> run_check(Session& session);
Result<int> run_import(Session& session);
Result<int> run_export(Session& session);
Result<int> run_mount(Session& session);
Result<int> run_list(Session& session);
Result<int> run_show(Session& session);
Result<int> run_set(Session& session);
Result<int> run_suspend(Session& session);
Result<int> run_resume(Session& session);
Result<int> run_retire(Session& session);
Result<int> run_approve(Session& session);
Result<int> run_reject(Session& session);
Result<int> run_cancel(Session& session);
Result<int> run_wait(Session& session);
Result<int> run_validate(Session& session);
Result<int> run_hold_place(Session& session);
Result<int> run_hold_lift(Session& session);
Result<int> run_policy_check(Session& session);
Result<int> run_policy_load(Session& session);
Result<int> run_policy_test(Session& session);
Result<int> run_enforce(Session& session);
Result<int> run_verify(Session& session);
Result<int> run_certificate_amend(Session& session);
Result<int> run_certificate_bundle(Session& session);
Result<int> run_certificate_export(Session& session);
Result<int> run_certificate_trust(Session& session);
Result<int> run_log_checkpoint(Session& session);
Result<int> run_audit(Session& session);
Result<int> run_completion(Session& session);
Result<int> run_help(Session& session);

// Help texts, made from the verb table; folded at the width of the terminal, or at 80 columns.
std::string overview(std::size_t width);
std::string help_of(const Verb& verb, std::size_t width);
// Of a verb by its name, or of all that begin with this word; empty where there is none.
std::string help_of(const std::string& name, std::size_t width);

}  // namespace aierase::ctl
