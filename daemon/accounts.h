// The users and groups of this host, as the name service knows them now.
//
// Contract: any thread; unknown ones are nothing, never an error. See getpwnam(3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aierase::daemon {

struct Account {
  std::string login;
  std::uint32_t uid = 0;
  std::uint32_t group = 0;
};

std::optional<Account> account_of(std::uint32_t uid);
std::optional<Account> account_named(const std::string& login);
std::vector<std::uint32_t> groups_of(const Account& account);
std::optional<std::uint32_t> group_named(const std::string& name);

}  // namespace aierase::daemon
