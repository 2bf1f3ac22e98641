// Assets, plans, holds, certificates and findings as text for people, from the daemon's JSON.
//
// Contract: pure; absent keys leave their line out. Widths in columns (render.h). The fields are
// those of org.aierase1(5) OBJECTS.
#pragma once

#include <string>

#include "base/json.h"
#include "ctl/output.h"
#include "ctl/render.h"

namespace aierase::ctl {

std::string describe_asset(const Json& asset, const Output& out);
std::string describe_plan(const Json& plan, const Output& out);
std::string describe_hold(const Json& hold, const Output& out);
std::string describe_certificate(const Json& certificate, const Output& out);
std::string describe_status(const Json& status, const Output& out);
std::string describe_findings(const Json& findings, const Output& out);

std::string asset_table(const Json& assets, const Output& out);
std::string plan_table(const Json& plans, const Output& out);
std::string hold_table(const Json& holds, const Output& out);
// Approvals in advance.
std::string standing_table(const Json& approvals, const Output& out);
std::string certificate_table(const Json& certificates, const Output& out);
// On which terms: below a floor, what stays, what was left out, and in a dry run who would approve.
void add_terms(Fields& fields, const Json& plan);
void add_approvers(Fields& fields, const Json& plan);
// When its items are erased: a time, or what it depends on.
std::string moment_of_erasure(const Json& plan);
std::string item_table(const Json& plan, const Output& out);

// Who reads it through mounted views; empty where nobody does. Of an asset; of a plan's items.
std::string leases_text(const Json& asset, const Output& out);
std::string item_leases_text(const Json& plan, const Output& out);
// Who decided, by account or by signature.
std::string decider_text(const Json& act);
// "aierase approve p-…@digest", to paste.
std::string approve_command(const Json& plan);
// That too few people may approve it; empty where there are enough.
std::string orphaned_text(const Json& plan);
// Who has to act next on a plan, and with which command; several lines.
std::string next_step(const Json& plan);
// Where the signed record of one that was refused can be had; empty: there is none.
std::string signed_record_text(const Json& plan);

}  // namespace aierase::ctl
