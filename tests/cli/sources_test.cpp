#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "ctl/interrupt.h"
#include "ctl/receiving.h"
#include "ctl/removal.h"
#include "ctl/sending.h"
#include "ctl/tar.h"
#include "ctl/walk.h"

namespace aierase::ctl {
namespace {

namespace fs = std::filesystem;

class Folder : public testing::Test {
 protected:
  Folder() {
    char pattern[] = "/tmp/aierase-cli-XXXXXX";
    root_ = fs::canonical(mkdtemp(pattern)).string();
  }
  ~Folder() override {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  std::string at(const std::string& name) const { return root_ + "/" + name; }
  void put(const std::string& name, const std::string& content) const {
    fs::create_directories(fs::path(at(name)).parent_path());
    std::ofstream(at(name)) << content;
  }
  std::vector<std::string> names(const Found& found) const {
    std::vector<std::string> result;
    for (const FoundFile& file : found.files) result.push_back(file.name);
    return result;
  }
  // Exit code and sentence of a walk that must be refused.
  void expect_refused(const std::string& path, int exit_code, const std::string& part) const {
    const auto found = walk({path});
    ASSERT_FALSE(found.ok()) << path;
    EXPECT_EQ(info(found.error().code).exit_code, exit_code) << found.error().message;
    EXPECT_NE(found.error().message.find(part), std::string::npos) << found.error().message;
  }

  std::string root_;
};

using ADirectory = Folder;
using TheSources = Folder;
using AnArchive = Folder;
using AnExportDirectory = Folder;

// Root may read everything: then somebody else looks.
TEST_F(ADirectory, IsRefusedForAFileThatCannotBeReadBeforeAnyIsSent) {
  put("m/a", "1");
  put("m/b", "2");
  ASSERT_EQ(chmod(root_.c_str(), 0755), 0);
  ASSERT_EQ(chmod(at("m").c_str(), 0755), 0);
  ASSERT_EQ(chmod(at("m/b").c_str(), 0), 0);
  const bool root = geteuid() == 0;
  ASSERT_EQ(root ? seteuid(65534) : 0, 0);
  const auto asked = walk({at("m")});
  const auto known = walk({at("m")}, Access::known);
  ASSERT_EQ(root ? seteuid(0) : 0, 0);
  ASSERT_FALSE(asked.ok());
  EXPECT_EQ(info(asked.error().code).exit_code, 5);
  EXPECT_NE(asked.error().message.find(at("m/b")), std::string::npos) << asked.error().message;
  ASSERT_TRUE(known.ok()) << known.error().message;
  EXPECT_EQ(names(*known), (std::vector<std::string>{"a", "b"}));
}

TEST_F(ADirectory, GivesItsFilesInByteOrderOfTheirNamesInsideIt) {
  put("m/b/x.bin", "xx");
  put("m/b.txt", "1");
  put("m/a", "");
  const auto found = walk({at("m")});
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(names(*found), (std::vector<std::string>{"a", "b.txt", "b/x.bin"}));
  EXPECT_EQ(found->bytes, 3u);
}

TEST_F(ADirectory, AmongSeveralArgumentsKeepsItsNameInFront) {
  put("one/f", "1");
  put("two", "2");
  const auto found = walk({at("one/"), at("two")});
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(names(*found), (std::vector<std::string>{"one/f", "two"}));
}

TEST_F(ADirectory, OfAHubCacheIsReadThroughItsLinks) {
  put("cache/blobs/abc", "weights");
  fs::create_directories(at("cache/snapshots/1"));
  fs::create_symlink("../../blobs/abc", at("cache/snapshots/1/model.safetensors"));
  const auto found = walk({at("cache/snapshots/1")});
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(names(*found), std::vector<std::string>{"model.safetensors"});
  EXPECT_EQ(found->files[0].reached, Reached::through_link);
  const auto sources = found->sources();
  ASSERT_EQ(sources.size(), 2u);
  EXPECT_EQ(sources[1].description, at("cache/blobs"));
  EXPECT_EQ(sources[1].bytes, 7u);
}

TEST_F(ADirectory, WithLinksToOneFileNamesItsPlaintextOnce) {
  put("m/a", "weights");
  put("out/shared", "other");
  fs::create_directories(at("m/sub"));
  fs::create_symlink("a", at("m/b"));
  fs::create_symlink("../a", at("m/sub/c"));
  fs::create_symlink("../out/shared", at("m/d"));
  fs::create_symlink("../out/shared", at("m/e"));
  const auto found = walk({at("m")});
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->files.size(), 5u);
  const auto sources = found->sources();
  ASSERT_EQ(sources.size(), 2u);
  EXPECT_EQ(sources[0].description, at("m"));
  EXPECT_EQ(sources[0].files, 1u);
  EXPECT_EQ(sources[0].bytes, 7u);
  EXPECT_EQ(sources[1].description, at("out"));
  EXPECT_EQ(sources[1].files, 1u);
  EXPECT_EQ(sources[1].bytes, 5u);
}

TEST_F(ADirectory, WhoseLinksLeadIntoAnotherArgumentIsOneSourceEach) {
  put("one/a", "1");
  fs::create_directories(at("two"));
  fs::create_symlink("../one/a", at("two/b"));
  const auto sources = walk({at("one"), at("two")})->sources();
  ASSERT_EQ(sources.size(), 2u);
  EXPECT_EQ(sources[0].files, 1u);
  EXPECT_EQ(sources[1].files, 0u);
}

TEST_F(ADirectory, IsRefusedForEverythingThatIsNoFile) {
  fs::create_directories(at("m"));
  expect_refused(at("m"), 6, "has no files");
  expect_refused(at("missing"), 4, "No such file");
  ASSERT_EQ(mkfifo(at("m/pipe").c_str(), 0600), 0);
  expect_refused(at("m"), 6, "m/pipe\" is a named pipe");
  fs::remove(at("m/pipe"));
  fs::create_symlink("nowhere", at("m/link"));
  expect_refused(at("m"), 6, "leads to nothing");
  fs::remove(at("m/link"));
  fs::create_symlink("link", at("m/link"));
  expect_refused(at("m"), 6, "in a circle");
  fs::remove(at("m/link"));
  fs::create_directory_symlink(root_, at("m/link"));
  expect_refused(at("m"), 6, "leads to a directory");
  fs::remove(at("m/link"));
  fs::create_symlink("/dev/null", at("m/link"));
  expect_refused(at("m"), 6, "is a device");
  expect_refused("/dev/zero", 6, "is a device");
}

TEST_F(ADirectory, IsRefusedForNamesThatNobodyCouldRead) {
  put("control/a\nb", "1");
  expect_refused(at("control"), 6, "control");
  put("utf8/\xff\xfe", "1");
  expect_refused(at("utf8"), 6, "UTF-8");
}

TEST_F(ADirectory, IsRefusedForNamesLongerThanAPathMayBe) {
  const std::string part(250, 'd');
  UniqueFd folder(open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; i < 17; ++i) {
    ASSERT_EQ(mkdirat(folder.get(), part.c_str(), 0700), 0);
    folder.reset(openat(folder.get(), part.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  const UniqueFd file(openat(folder.get(), "f", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  expect_refused(root_, 6, "4096");
}

TEST_F(ADirectory, ThatChangesBetweenTwoLooksIsNoticed) {
  put("m/a", "1");
  put("m/b", "2");
  const auto before = walk({at("m")});
  put("m/a", "22");
  EXPECT_NE(same_as_before(*before, *walk({at("m")})).error().message.find("changed"),
            std::string::npos);
  EXPECT_FALSE(open_found(before->files[0]).ok());
  EXPECT_TRUE(open_found(before->files[1]).ok());
  fs::remove(at("m/b"));
  put("m/c", "3");
  const auto later = walk({at("m")});
  EXPECT_FALSE(same_as_before(*before, *later).ok());
  EXPECT_TRUE(same_as_before(*later, *walk({at("m")})).ok());
}

TEST_F(ADirectory, WhoseFileBecameAPipeDoesNotHangUs) {
  put("m/a", "1");
  const auto found = walk({at("m")});
  fs::remove(at("m/a"));
  ASSERT_EQ(mkfifo(at("m/a").c_str(), 0600), 0);
  EXPECT_EQ(open_found(found->files[0]).error().code, Errc::invalid_input);
}

TEST_F(TheSources, AreRemovedExactlyAsTheyWereImported) {
  put("m/a", "1");
  put("m/sub/b", "2");
  const auto found = walk({at("m")});
  put("m/late", "3");
  const Removal removal = remove_sources(*found);
  EXPECT_EQ(removal.removed, 2u);
  EXPECT_EQ(removal.gone, std::vector<std::string>{at("m")});
  EXPECT_TRUE(fs::exists(at("m/late")));
  EXPECT_FALSE(fs::exists(at("m/a")));
}

TEST_F(TheSources, ThatChangedSinceStay) {
  put("m/a", "1");
  const auto found = walk({at("m")});
  put("m/a", "other content");
  const Removal removal = remove_sources(*found);
  EXPECT_EQ(removal.removed, 0u);
  EXPECT_TRUE(removal.gone.empty());
  ASSERT_EQ(removal.stayed.size(), 1u);
  EXPECT_TRUE(fs::exists(at("m/a")));
}

TEST_F(TheSources, ThatLinksLedToOutsideStayAndAreNamed) {
  put("cache/blobs/abc", "weights");
  fs::create_directories(at("cache/snap"));
  fs::create_symlink("../blobs/abc", at("cache/snap/model"));
  const auto found = walk({at("cache/snap")});
  const Removal removal = remove_sources(*found);
  EXPECT_FALSE(fs::is_symlink(at("cache/snap/model")));
  EXPECT_TRUE(fs::exists(at("cache/blobs/abc")));
  EXPECT_EQ(removal.links, 1u);
  EXPECT_EQ(removal.removed, 0u);
  ASSERT_EQ(removal.stayed.size(), 1u);
  EXPECT_NE(removal.stayed[0].find(at("cache/blobs")), std::string::npos);
}

TEST_F(TheSources, WithAFurtherNameAreNotReportedAsGone) {
  put("m/a", "1");
  fs::create_hard_link(at("m/a"), at("elsewhere"));
  const auto found = walk({at("m")});
  const Removal removal = remove_sources(*found);
  EXPECT_TRUE(removal.gone.empty());
  ASSERT_EQ(removal.stayed.size(), 1u);
}

// Reads an archive made by the system's tar with these arguments.
Result<std::vector<std::pair<std::string, std::string>>> read_archive(
    const std::string& path, const TarLimits& limits = {}) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  ASSIGN_OR_RETURN(TarReader archive, TarReader::open(file.get(), limits));
  std::vector<std::pair<std::string, std::string>> members;
  for (;;) {
    ASSIGN_OR_RETURN(const auto member, archive.next());
    if (!member) return members;
    ASSIGN_OR_RETURN(PipeEnds pipe, make_pipe());
    RETURN_IF_ERROR(archive.copy_to(pipe.writing.get(), [](std::uint64_t) {}));
    pipe.writing.reset();
    std::string content(4096, '\0');
    const ssize_t got = read(pipe.reading.get(), content.data(), content.size());
    content.resize(static_cast<std::size_t>(got));
    members.emplace_back(member->name, content);
  }
}

int tar(const std::string& arguments) {
  return system(("tar " + arguments).c_str());
}

TEST_F(AnArchive, GivesItsRegularFilesPackedOrNot) {
  put("m/a", "one");
  put("m/sub/b", "two");
  ASSERT_EQ(tar("-C " + at("m") + " --sort=name -cf " + at("plain.tar") + " ."), 0);
  ASSERT_EQ(tar("-C " + at("m") + " --sort=name -czf " + at("packed.tgz") + " ."), 0);
  for (const char* name : {"plain.tar", "packed.tgz"}) {
    const auto members = read_archive(at(name));
    ASSERT_TRUE(members.ok()) << members.error().message;
    ASSERT_EQ(members->size(), 2u);
    EXPECT_EQ((*members)[0], (std::pair<std::string, std::string>{"a", "one"}));
    EXPECT_EQ((*members)[1], (std::pair<std::string, std::string>{"sub/b", "two"}));
  }
}

TEST_F(AnArchive, WithLinksDoublesOrWaysOutIsRefused) {
  put("m/a", "one");
  fs::create_symlink("a", at("m/link"));
  ASSERT_EQ(tar("-C " + at("m") + " -cf " + at("link.tar") + " link"), 0);
  EXPECT_EQ(read_archive(at("link.tar")).error().code, Errc::invalid_input);
  fs::create_hard_link(at("m/a"), at("m/b"));
  ASSERT_EQ(tar("-C " + at("m") + " -cf " + at("hard.tar") + " a b"), 0);
  EXPECT_EQ(read_archive(at("hard.tar")).error().code, Errc::invalid_input);
  ASSERT_EQ(tar("-C " + at("m") + " -cf " + at("out.tar") + " --transform=s,^,../, a"), 0);
  EXPECT_EQ(read_archive(at("out.tar")).error().code, Errc::invalid_input);
  ASSERT_EQ(tar("-C " + at("m") + " -P -cf " + at("abs.tar") + " " + at("m/a")), 0);
  EXPECT_EQ(read_archive(at("abs.tar")).error().code, Errc::invalid_input);
  ASSERT_EQ(tar("-C " + at("m") + " --hard-dereference -cf " + at("twice.tar") + " a a"), 0);
  EXPECT_EQ(read_archive(at("twice.tar")).error().code, Errc::invalid_input);
}

TEST_F(AnArchive, ThatBreaksOffOrIsNoneIsRefused) {
  put("m/a", std::string(3000, 'x'));
  ASSERT_EQ(tar("-C " + at("m") + " -cf " + at("whole.tar") + " a"), 0);
  fs::copy_file(at("whole.tar"), at("cut.tar"));
  fs::resize_file(at("cut.tar"), 1000);
  EXPECT_EQ(read_archive(at("cut.tar")).error().code, Errc::invalid_input);
  fs::copy_file(at("whole.tar"), at("unmarked.tar"));
  fs::resize_file(at("unmarked.tar"), 512 + 3072);  // header, data and its padding
  EXPECT_EQ(read_archive(at("unmarked.tar")).error().code, Errc::invalid_input);
  EXPECT_TRUE(read_archive(at("whole.tar")).ok());
  put("noise", std::string(5000, 'n'));
  EXPECT_EQ(read_archive(at("noise")).error().code, Errc::invalid_input);
  put("nothing", "");
  EXPECT_EQ(read_archive(at("nothing")).error().code, Errc::invalid_input);
}

TEST_F(AnArchive, ThatIsPackedInAPackedOneIsRefused) {
  put("m/a", "one");
  ASSERT_EQ(tar("-C " + at("m") + " -czf " + at("once.tgz") + " a"), 0);
  ASSERT_EQ(system(("gzip -c " + at("once.tgz") + " > " + at("twice.tgz")).c_str()), 0);
  EXPECT_TRUE(read_archive(at("once.tgz")).ok());
  const auto twice = read_archive(at("twice.tgz"));
  ASSERT_FALSE(twice.ok());
  EXPECT_NE(twice.error().message.find("more than once"), std::string::npos);
}

TEST_F(AnArchive, OfManyDirectoriesIsRefusedAsOneOfManyFiles) {
  fs::create_directories(at("m/d/e"));
  put("m/d/a", "one");
  ASSERT_EQ(tar("-C " + at("m") + " -cf " + at("d.tar") + " d"), 0);
  EXPECT_TRUE(read_archive(at("d.tar"), {3, {}, {}}).ok());
  EXPECT_EQ(read_archive(at("d.tar"), {2, {}, {}}).error().code, Errc::resource_limit);
}

TEST_F(AnArchive, IsUnpackedUpToItsLimitAlsoWhereNothingOfItIsWanted) {
  put("m/a", "one");
  ASSERT_EQ(tar("-C " + at("m") + " -cf " + at("a.tar") + " a"), 0);
  fs::resize_file(at("a.tar"), 3 << 20);
  ASSERT_EQ(system(("gzip -k " + at("a.tar")).c_str()), 0);
  const auto up_to = [&](std::uint64_t bytes) {
    return read_archive(at("a.tar.gz"), {9, bytes, TarLimits::Behind::nothing});
  };
  EXPECT_TRUE(up_to(3 << 20).ok());
  ASSERT_FALSE(up_to(2 << 20).ok());
  EXPECT_EQ(up_to(2 << 20).error().code, Errc::resource_limit);
}

TEST_F(AnArchive, IsReadNoFurtherOnceAnInterruptionWasAskedFor) {
  put("m/a", "one");
  ASSERT_EQ(tar("-C " + at("m") + " -cf " + at("a.tar") + " a"), 0);
  const auto interrupted_reading = [&](bool in_content) {
    if (!Interrupt::install().ok()) exit(3);
    const UniqueFd file(open(at("a.tar").c_str(), O_RDONLY | O_CLOEXEC));
    auto archive = TarReader::open(file.get());
    if (!archive.ok() || (in_content && !archive->next().ok())) exit(3);
    raise(SIGTERM);
    const Status read =
        in_content ? Status(archive->content(9).error()) : Status(archive->next().error());
    exit(read.error().code == Errc::cancelled ? 0 : 1);
  };
  EXPECT_EXIT(interrupted_reading(false), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(interrupted_reading(true), testing::ExitedWithCode(0), "");
}

TEST_F(AnArchive, HasNothingButZerosBehindItsEndWhereThatIsAsked) {
  put("m/a", "one");
  put("m/b", "two");
  ASSERT_EQ(tar("-C " + at("m") + " -cf " + at("a.tar") + " a"), 0);
  ASSERT_EQ(tar("-C " + at("m") + " -cf " + at("b.tar") + " b"), 0);
  const auto strict = [&](const std::string& how) {
    EXPECT_EQ(system(("cd " + at("") + " && " + how + " > x.tar").c_str()), 0);
    EXPECT_TRUE(read_archive(at("x.tar")).ok()) << how << ": nobody asks that of an import";
    return read_archive(at("x.tar"), {9, {}, TarLimits::Behind::nothing});
  };
  EXPECT_TRUE(strict("cat a.tar").ok());
  EXPECT_TRUE(strict("{ cat a.tar; head -c 51200 /dev/zero; }").ok());
  EXPECT_TRUE(strict("gzip -c a.tar").ok());
  EXPECT_FALSE(strict("{ cat a.tar; head -c 700 a.tar; }").ok());
  EXPECT_FALSE(strict("{ cat a.tar; head -c 51200 /dev/zero; echo more; }").ok());
  EXPECT_FALSE(strict("{ gzip -c a.tar; echo more; }").ok());
  EXPECT_FALSE(strict("{ cat a.tar; echo more; } | gzip -c").ok());
  const auto two = strict("cat a.tar b.tar");
  ASSERT_TRUE(two.ok());
  EXPECT_EQ(two->size(), 2U) << "what is behind is read as what it is";
}

TEST_F(AnArchive, ThatWasWrittenIsReadBack) {
  const UniqueFd file(open(at("w.tar").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  auto writer = TarWriter::open(file.get());
  ASSERT_TRUE(writer.ok());
  auto pipe = make_pipe();
  ASSERT_EQ(write(pipe->writing.get(), "hello", 5), 5);
  pipe->writing.reset();
  ASSERT_TRUE(writer->add({"dir/f", 5}, pipe->reading.get(), [](std::uint64_t) {}).ok());
  ASSERT_TRUE(writer->finish().ok());
  const auto members = read_archive(at("w.tar"));
  ASSERT_TRUE(members.ok()) << members.error().message;
  ASSERT_EQ(members->size(), 1u);
  EXPECT_EQ((*members)[0], (std::pair<std::string, std::string>{"dir/f", "hello"}));
}

TEST_F(AnArchive, IsNotFinishedWhenAMemberComesShort) {
  const UniqueFd file(open(at("w.tar").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  {
    auto writer = TarWriter::open(file.get());
    auto pipe = make_pipe();
    ASSERT_EQ(write(pipe->writing.get(), "he", 2), 2);
    pipe->writing.reset();
    EXPECT_FALSE(writer->add({"f", 5}, pipe->reading.get(), [](std::uint64_t) {}).ok());
  }
  EXPECT_FALSE(read_archive(at("w.tar")).ok());
}

TEST_F(AnExportDirectory, IsRemovedAgainUnlessItIsKept) {
  {
    auto receiver = Receiver::open_directory(at("out"));
    ASSERT_TRUE(receiver.ok());
    ASSERT_TRUE(receiver->create("a/b/c").ok());
    EXPECT_TRUE(fs::exists(at("out/a/b/c")));
  }
  EXPECT_FALSE(fs::exists(at("out")));
  {
    auto receiver = Receiver::open_directory(at("out"));
    ASSERT_TRUE(receiver->create("c").ok());
    ASSERT_TRUE(receiver->keep().ok());
  }
  struct stat status {};
  ASSERT_EQ(stat(at("out/c").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(AnExportDirectory, IsNeverWrittenOverNorThroughALink) {
  put("out/there", "mine");
  fs::create_directory_symlink("/tmp", at("out/link"));
  auto receiver = Receiver::open_directory(at("out"));
  ASSERT_TRUE(receiver.ok());
  EXPECT_EQ(receiver->refuse_existing({"there"}).error().code, Errc::already_exists);
  EXPECT_EQ(receiver->create("there").error().code, Errc::already_exists);
  EXPECT_FALSE(receiver->create("link/x").ok());
  EXPECT_FALSE(receiver->create("../x").ok());
  EXPECT_FALSE(receiver->create("/x").ok());
}

}  // namespace
}  // namespace aierase::ctl
