// Errors on the bus: an error name from the table in base, the sentence, and a{sv} {hint, subject}.
//
// Contract: what error_reply() makes, read_error() gives back unchanged; errors of the bus itself
// and of other services are mapped to the Errc that tells the caller what to do.
// Specified in: org.aierase1(5) ERRORS.
#pragma once

#include "base/result.h"
#include "bus/handles.h"

namespace aierase::bus {

Result<MessagePtr> error_reply(sd_bus_message* call, const Error& error);
Error read_error(sd_bus_message* reply);
// From name and sentence alone, as a job's properties have them.
Error error_from_name(const std::string& name, const std::string& message);

}  // namespace aierase::bus
