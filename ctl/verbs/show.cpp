#include <nlohmann/json.hpp>

#include "ctl/describe.h"
#include "ctl/handing_in.h"
#include "ctl/outcome.h"
#include "ctl/render.h"
#include "ctl/standing.h"
#include "ctl/tensors.h"
#include "ctl/verbs/verbs.h"
#include "domain/ids.h"

namespace aierase::ctl {
namespace {

struct Shown {
  const char* key;
  Json object;
  std::string text;
};

Result<Shown> look_up(Session& session, const std::string& wanted) {
  const Output& out = session.out();
  const auto id = domain::parse_id(wanted);
  const domain::IdType type = id ? id->type : domain::IdType::asset;
  if (type == domain::IdType::plan) {
    ASSIGN_OR_RETURN(Json plan, show_plan(session, wanted));
    std::string text = describe_plan(plan, out);
    const std::string next = next_step(plan);
    if (!next.empty()) text += "\n" + next;
    return Shown{"plan", std::move(plan), std::move(text)};
  }
  if (type == domain::IdType::certificate) {
    CallArguments arguments;
    arguments.texts = {wanted};
    ASSIGN_OR_RETURN(Json answer,
                     session.call("Certificate", "Show", std::move(arguments), Json::object()));
    Json certificate = unwrapped(std::move(answer), "certificate");
    std::string text = describe_certificate(certificate, out);
    text += "\nTo hand it over: aierase certificate export " +
            short_id(text_at(certificate, "id")) + " FILE\n";
    return Shown{"certificate", std::move(certificate), std::move(text)};
  }
  if (type == domain::IdType::hold) {
    CallArguments arguments;
    arguments.texts = {wanted};
    ASSIGN_OR_RETURN(Json answer,
                     session.call("Hold", "Show", std::move(arguments), Json::object()));
    Json hold = unwrapped(std::move(answer), "hold");
    std::string text = describe_hold(hold, out);
    return Shown{"hold", std::move(hold), std::move(text)};
  }
  if (type != domain::IdType::asset) {
    return make_error(Errc::usage, quoted(wanted) + " is no asset, plan, certificate or hold",
                      "their ids begin with a-, p-, c- or h-");
  }
  ASSIGN_OR_RETURN(Json asset,
                   show_asset(session, wanted, out.for_people() ? Files::first : Files::all));
  std::string text = describe_asset(asset, out);
  return Shown{"asset", std::move(asset), std::move(text)};
}

Result<int> print_tensors(Session& session) {
  Output& out = session.out();
  const auto id = domain::parse_id(session.operand(0));
  if (id && id->type != domain::IdType::asset) {
    return make_error(Errc::usage,
                      "--tensors is for assets, not for " + quoted(session.operand(0)));
  }
  ASSIGN_OR_RETURN(Json asset, show_asset_metadata(session, session.operand(0)));
  ASSIGN_OR_RETURN(Json tensors, tensors_of(asset));
  if (out.for_people()) {
    out.print(describe_tensors(tensors, out.width()));
    return 0;
  }
  asset.erase("metadata");
  asset["tensors"] = std::move(tensors);
  out.print_json("show", {{"asset", std::move(asset)}});
  return 0;
}

}  // namespace

Result<int> run_show(Session& session) {
  const Arguments& given = session.arguments();
  if (given.has("request") && given.has("standing")) return print_standing_request(session);
  for (const char* option : {"standing", "approver", "approval"}) {
    if (!given.has(option)) continue;
    return make_error(Errc::usage, std::string("--") + option + " is for --request --standing",
                      "`aierase list approvals` shows what was approved in advance");
  }
  if (given.operands().empty()) {
    return make_error(Errc::usage, "'show' needs an id or a name", "aierase list");
  }
  if (given.has("request")) return print_request(session);
  if (given.operands().size() > 1) {
    return make_error(Errc::usage, "'show' shows one thing at a time",
                      "with --request it takes several plans");
  }
  for (const char* option : {"reason", "until", "with"}) {
    if (!given.has(option)) continue;
    return make_error(Errc::usage, std::string("--") + option + " is for --request");
  }
  if (given.has("tensors")) return print_tensors(session);
  Output& out = session.out();
  ASSIGN_OR_RETURN(Shown shown, look_up(session, session.operand(0)));
  if (!out.for_people()) {
    out.print_json("show", {{shown.key, std::move(shown.object)}});
  } else if (out.quiet()) {
    out.print(printable(text_at(shown.object, "id")) + "\n");
  } else {
    out.print(shown.text);
  }
  return 0;
}

}  // namespace aierase::ctl
