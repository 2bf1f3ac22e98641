#include "daemon/config.h"

#include <string_view>

#include "base/duration.h"
#include "base/limits.h"
#include "base/toml.h"

namespace aierase::daemon {
namespace {

constexpr std::chrono::seconds kCoalesceAtMost = std::chrono::hours(1);

Result<std::string> path_or(const char* key, const std::optional<std::string>& value,
                            const std::string& otherwise, const std::string& file) {
  if (!value) return otherwise;
  if (value->starts_with('/')) return *value;
  return make_error(Errc::invalid_input, file + ": " + key + " must be an absolute path",
                    std::string("e.g. ") + key + " = \"" + otherwise + "\"", file);
}

Result<std::chrono::seconds> coalesce_of(const std::string& text, const std::string& file) {
  const Result<Duration> duration = parse_duration(text);
  constexpr UtcTime kAnyMoment{};
  const auto seconds =
      duration.ok() ? add(kAnyMoment, *duration) - kAnyMoment : std::chrono::seconds(-1);
  if (seconds >= std::chrono::seconds(0) && seconds <= kCoalesceAtMost) return seconds;
  return make_error(Errc::invalid_input,
                    file + ": coalesce must be a time from \"0 seconds\" to \"1 hour\"",
                    "e.g. coalesce = \"60 seconds\"", file);
}

Status apply(Env& env, const std::string& path, Config& config) {
  ASSIGN_OR_RETURN(const Bytes bytes, read_file(env, path, limits::kConfigBytes));
  ASSIGN_OR_RETURN(TomlFile file, TomlFile::parse(as_text(bytes), path, limits::kConfigBytes));
  ASSIGN_OR_RETURN(const std::optional<bool> swap, file.get_boolean("allow-unencrypted-swap"));
  ASSIGN_OR_RETURN(const std::optional<std::string> slot, file.get_string("slot"));
  ASSIGN_OR_RETURN(const std::optional<std::string> people, file.get_string("people"));
  ASSIGN_OR_RETURN(const std::optional<std::string> tpm, file.get_string("tpm"));
  ASSIGN_OR_RETURN(const std::optional<std::string> coalesce, file.get_string("coalesce"));
  RETURN_IF_ERROR(file.refuse_unknown_keys());
  if (coalesce) {
    ASSIGN_OR_RETURN(config.coalesce, coalesce_of(*coalesce, path));
  }
  if (swap) {
    config.unencrypted_swap = *swap ? UnencryptedSwap::allowed : UnencryptedSwap::refused;
  }
  if (tpm) config.tpm = *tpm;
  ASSIGN_OR_RETURN(config.slot, path_or("slot", slot, config.slot, path));
  ASSIGN_OR_RETURN(config.people, path_or("people", people, config.people, path));
  return {};
}

}  // namespace

Result<Config> load_config(Env& env, const std::string& file, Absence absence) {
  Config config;
  ASSIGN_OR_RETURN(const std::optional<FileInfo> there, env.stat(file));
  if (there) {
    RETURN_IF_ERROR(apply(env, file, config));
  } else if (absence == Absence::refused) {
    return make_error(Errc::not_found, "there is no configuration file " + file,
                      "name another with --config, or leave the option out", file);
  }
  const std::string directory = file + ".d";
  ASSIGN_OR_RETURN(const std::optional<FileInfo> drop_ins, env.stat(directory));
  if (!drop_ins || drop_ins->type != FileType::directory) return config;
  ASSIGN_OR_RETURN(const std::vector<std::string> names, env.list(directory));
  for (const std::string& name : names) {
    if (!std::string_view(name).ends_with(".toml") || name.front() == '.') continue;
    RETURN_IF_ERROR(apply(env, directory + "/" + name, config));
  }
  return config;
}

}  // namespace aierase::daemon
