// Looks at a store from outside, and changes its files as people and accidents do.
//
// Contract: nothing here counts as an act of the daemon; no store may be open meanwhile, except
// for everything() and fingerprint(). Changes are durable at once.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "fault/support/world.h"

namespace aierase::test {

// Every file of the disk by its path, as a reader sees it; a directory's path ends in '/'.
using Contents = std::map<std::string, Bytes>;
Contents everything(FakeDisk& disk);
// The paths that differ, in one line; empty: nothing.
std::string differences(const Contents& before, const Contents& after);
std::vector<std::string> names_in(FakeDisk& disk, const std::string& directory);
std::size_t blob_files(FakeDisk& disk);

// Another content for a file, in place: same inode, same extents.
Status put_file(FakeDisk& disk, const std::string& path, ByteView content);
// Turns every bit of `size` bytes around.
void spoil(FakeDisk& disk, const std::string& path, std::uint64_t offset, std::size_t size);
// Statements on the catalog as somebody with a shell would give them.
Status sql(FakeDisk& disk, const std::string& statements);
// The room that earlier commits have left in the journal is gone.
Status cut_journal(FakeDisk& disk);

// What people see of assets, plans and holds, in words that do not change from run to run; no
// times, no random ids.
std::string fingerprint(World& world);
// Types of the log's leaves, without those that recovery writes. The store must be closed.
std::vector<std::string> log_types(FakeDisk& disk);

std::vector<lifecycle::Finding> check_all(World& world, lifecycle::CheckDepth depth);
std::string to_string(const std::vector<lifecycle::Finding>& findings);

}  // namespace aierase::test
