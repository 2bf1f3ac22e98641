// Calls as rows of the audit, and rows as the JSON objects of the interface.
//
// Contract: pure. What callers typed is taken as it is: the audit trail makes it printable and
// short. Specified in: aierase-store(5) AUDIT; lib/bus/interfaces/org.aierase1.Log.xml.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "domain/audit.h"
#include "lifecycle/store.h"

struct sd_bus_message;

namespace aierase::daemon {

// Time and method ("Asset.Export") of a call.
domain::AuditRow audit_row(sd_bus_message* call, UtcTime now);
// Who has left the bus before he could be looked at.
domain::Actor unknown_caller();

std::vector<domain::AuditSubject> typed_subjects(const std::vector<std::string>& typed);
// What was typed turned out to be this; empty texts where nothing of that name is known.
void name_subject(domain::AuditRow& row, const std::string& id, const std::string& name);
// Adds what an act answered with: the plan, the hold, the asset that it made or touched.
void name_result(domain::AuditRow& row, const Json& result);

Json audit_json(const domain::AuditRow& row);
Json measures_json(const lifecycle::Measures& measures);

}  // namespace aierase::daemon
