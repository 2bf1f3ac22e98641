#include "fault/support/software_tpm.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "crypto/primitives.h"

extern "C" char** environ;

namespace aierase::test {
namespace {

constexpr std::size_t kHeaderBytes = 10;

// The generator of P-256, X and Y: a point that everybody knows the private key of.
constexpr const char* kGenerator =
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

int run(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const int failed = posix_spawnp(&pid, arguments[0], &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0) return 127;
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

UniqueFd connect_to(const std::string& path) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(path);
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    socket.reset();
  }
  return socket;
}

bool read_all(int socket, Bytes& to, std::size_t from, std::size_t size) {
  to.resize(from + size);
  while (size > 0) {
    const ssize_t got = read(socket, to.data() + from, size);
    if (got <= 0) return false;
    from += static_cast<std::size_t>(got);
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

// Commands and answers begin alike: tag, length of all, code.
bool read_message(int socket, Bytes& message) {
  if (!read_all(socket, message, 0, kHeaderBytes)) return false;
  const std::uint32_t size = get_be32(ByteView(message).subspan(2, 4));
  return size >= kHeaderBytes && size <= 8192 &&
         read_all(socket, message, kHeaderBytes, size - kHeaderBytes);
}

bool send_all(int socket, const Bytes& message) {
  return send(socket, message.data(), message.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(message.size());
}

std::uint32_t code_of(const Bytes& message) {
  return get_be32(ByteView(message).subspan(6, 4));
}

Bytes bare_answer(std::uint32_t code) {
  Bytes answer = copy_of(as_bytes(std::string_view("\x80\x01", 2)));
  append_be32(answer, kHeaderBytes);
  append_be32(answer, code);
  return answer;
}

bool is_about_nv(std::uint32_t command) {
  switch (static_cast<Tpm>(command)) {
    case Tpm::nv_undefine:
    case Tpm::nv_define:
    case Tpm::nv_increment:
    case Tpm::nv_write:
    case Tpm::nv_read:
    case Tpm::nv_certify:
      return true;
    default:
      return false;
  }
}

bool makes_attestation_key(const Bytes& command) {
  constexpr std::uint32_t kEndorsement = 0x4000000B;
  return code_of(command) == static_cast<std::uint32_t>(Tpm::create_primary) &&
         get_be32(ByteView(command).subspan(kHeaderBytes, 4)) == kEndorsement;
}

// The answer to CreatePrimary: handle, size, the public area, creation data, its digest, a ticket,
// the name. Another point on the curve stands at the end of the area, and the name follows it.
void exchange_key(Bytes& answer) {
  const auto sized = [&](std::size_t at) { return get_be16(ByteView(answer).subspan(at, 2)); };
  const std::size_t area = kHeaderBytes + 4 + 4 + 2;
  const std::size_t end = area + sized(area - 2);
  const Bytes point = from_hex(kGenerator).value();
  std::copy_n(point.begin(), 32, answer.begin() + static_cast<std::ptrdiff_t>(end - 66));
  std::copy_n(point.begin() + 32, 32, answer.begin() + static_cast<std::ptrdiff_t>(end - 32));
  std::size_t at = end;
  at += 2 + sized(at);      // creation data
  at += 2 + sized(at);      // its digest
  at += 2 + 4;              // ticket: tag, hierarchy
  at += 2 + sized(at) + 4;  // digest; then size and algorithm of the name
  const Digest name = crypto::sha256(ByteView(answer).subspan(area, end - area));
  std::copy(name.begin(), name.end(), answer.begin() + static_cast<std::ptrdiff_t>(at));
}

void wait_for_end(int pid) {
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (process.get() < 0) return;
  pollfd ended{process.get(), POLLIN, 0};
  poll(&ended, 1, -1);
}

}  // namespace

SoftwareTpm::SoftwareTpm() {
  rootslot::quiet_tpm_library();
  std::string name = "/tmp/aierase-tpm-XXXXXX";
  directory_ = mkdtemp(name.data());
  listener_.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(directory_ + "/asked");
  EXPECT_EQ(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(listener_.get(), 4), 0);
  std::filesystem::create_symlink(directory_ + "/chip.ctrl", directory_ + "/asked.ctrl");
  int ends[2] = {-1, -1};
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  stop_reader_.reset(ends[0]);
  stop_writer_.reset(ends[1]);
  start();
  thread_ = std::thread([this] { serve(); });
}

SoftwareTpm::~SoftwareTpm() {
  stop_writer_.reset();
  kill();
  thread_.join();
  std::filesystem::remove_all(directory_);
}

// It goes into the background when it listens.
void SoftwareTpm::start() {
  const std::string pid_file = directory_ + "/pid";
  EXPECT_EQ(run({"swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + directory_, "--server",
                 "type=unixio,path=" + directory_ + "/chip", "--ctrl",
                 "type=unixio,path=" + directory_ + "/chip.ctrl", "--flags",
                 "not-need-init,startup-clear", "--pid", "file=" + pid_file, "--daemon"}),
            0)
      << "swtpm does not start: tests/packages installs it";
  int pid = -1;
  std::ifstream(pid_file) >> pid;
  pid_ = pid;
  killed_ = false;
}

void SoftwareTpm::kill() {
  const int pid = pid_.exchange(-1);
  if (pid <= 0) return;
  ::kill(pid, SIGKILL);
  wait_for_end(pid);
  killed_ = true;
}

Bytes SoftwareTpm::memory() const {
  std::ifstream file(directory_ + "/tpm2-00.permall", std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(file)), {});
  return copy_of(as_bytes(content));
}

void SoftwareTpm::put_back(const Bytes& memory) {
  kill();
  std::ofstream(directory_ + "/tpm2-00.permall", std::ios::binary) << std::string(as_text(memory));
  start();
}

void SoftwareTpm::kill_at(std::size_t n, When when) {
  const std::lock_guard lock(mutex_);
  nv_commands_ = 0;
  kill_at_ = {n, when};
}

void SoftwareTpm::refuse(Tpm command, std::uint32_t code, std::size_t passing) {
  const std::lock_guard lock(mutex_);
  refusals_[static_cast<std::uint32_t>(command)] = {code, passing};
}

void SoftwareTpm::exchange_attestation_key() {
  const std::lock_guard lock(mutex_);
  exchange_ = true;
}

void SoftwareTpm::belie(Tpm command, std::uint32_t code) {
  const std::lock_guard lock(mutex_);
  lies_[static_cast<std::uint32_t>(command)] = code;
}

void SoftwareTpm::keep_back(Tpm command, std::uint32_t code) {
  refuse(command, code);
  refuse(Tpm::flush_context, 0);
  const std::lock_guard lock(mutex_);
  kept_code_ = static_cast<std::uint32_t>(command);
}

std::uint32_t SoftwareTpm::deliver() {
  const std::lock_guard lock(mutex_);
  const UniqueFd chip = connect_to(directory_ + "/chip");
  Bytes answer;
  const bool answered = send_all(chip.get(), kept_) && read_message(chip.get(), answer);
  EXPECT_TRUE(answered) << "nothing was kept back, or the TPM is gone";
  return answered ? code_of(answer) : 0;
}

void SoftwareTpm::when_done(Tpm command, std::function<void()> act) {
  const std::lock_guard lock(mutex_);
  acts_[static_cast<std::uint32_t>(command)] = std::move(act);
}

void SoftwareTpm::forget() {
  const std::lock_guard lock(mutex_);
  exchange_ = false;
  refusals_.clear();
  lies_.clear();
  acts_.clear();
  kept_code_.reset();
  kept_.clear();
  counts_.clear();
  kill_at_.reset();
  overheard_.clear();
}

std::size_t SoftwareTpm::count(Tpm command) const {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(static_cast<std::uint32_t>(command));
  return found == counts_.end() ? 0 : found->second;
}

Bytes SoftwareTpm::overheard() const {
  const std::lock_guard lock(mutex_);
  return overheard_;
}

bool SoftwareTpm::tool(const std::string& command) {
  return run({"sh", "-c",
              "export TPM2TOOLS_TCTI=swtpm:path=" + directory_ + "/chip; " + command}) == 0;
}

std::optional<Bytes> SoftwareTpm::judge(const Bytes& command) {
  const std::lock_guard lock(mutex_);
  append(overheard_, command);
  const std::uint32_t code = code_of(command);
  ++counts_[code];
  if (is_about_nv(code)) ++nv_commands_;
  const auto refusal = refusals_.find(code);
  if (refusal == refusals_.end()) return std::nullopt;
  if (refusal->second.passing > 0) {
    --refusal->second.passing;
    return std::nullopt;
  }
  if (kept_code_ == code && kept_.empty()) kept_ = command;
  return bare_answer(refusal->second.code);
}

void SoftwareTpm::exchange(const Bytes& command, Bytes& answer) {
  std::function<void()> act;
  {
    const std::lock_guard lock(mutex_);
    append(overheard_, answer);
    const auto lie = lies_.find(code_of(command));
    if (lie != lies_.end()) answer = bare_answer(lie->second);
    const auto found = acts_.find(code_of(command));
    if (found != acts_.end()) act = found->second;
  }
  if (act) act();
}

// One client: false when somebody has gone.
bool SoftwareTpm::relay(int client) {
  const UniqueFd chip = connect_to(directory_ + "/chip");
  if (chip.get() < 0) return false;
  Bytes command;
  while (read_message(client, command)) {
    const std::optional<Bytes> own = judge(command);
    if (own) {
      if (!send_all(client, *own)) return false;
      continue;
    }
    std::optional<When> end;
    {
      const std::lock_guard lock(mutex_);
      const bool now = kill_at_ && is_about_nv(code_of(command)) && nv_commands_ == kill_at_->first;
      if (now) end = kill_at_->second;
    }
    if (end == When::before) {
      kill();
      return false;
    }
    Bytes answer;
    if (!send_all(chip.get(), command) || !read_message(chip.get(), answer)) return false;
    exchange(command, answer);
    {
      const std::lock_guard lock(mutex_);
      if (exchange_ && makes_attestation_key(command)) exchange_key(answer);
    }
    if (end == When::after) {
      kill();
      return false;
    }
    if (!send_all(client, answer)) return false;
  }
  return true;
}

void SoftwareTpm::serve() {
  while (true) {
    pollfd waits[2] = {{listener_.get(), POLLIN, 0}, {stop_reader_.get(), POLLIN, 0}};
    if (poll(waits, 2, -1) < 0 || waits[1].revents != 0) return;
    const UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client.get() >= 0) relay(client.get());
  }
}

}  // namespace aierase::test
