// Log lines with structured fields into the journal.
//
// Contract: to be used where standard error is the journal's stream (JOURNAL_STREAM names it), else
// nothing is returned and lines go to standard error. See sd_journal_sendv(3).
#pragma once

#include "base/log.h"

namespace aierase::daemon {

LogSink journal_sink();  // empty where there is no journal

}  // namespace aierase::daemon
