// The text of schema/0001.sql, as CMake compiled it in.
// Contract: a NUL-terminated list of SQL statements, to be run once inside a transaction on an
// empty database. Specified in: aierase-store(5) CATALOG.
#pragma once

namespace aierase::catalog {

extern const char* const kSchema0001;

}  // namespace aierase::catalog
