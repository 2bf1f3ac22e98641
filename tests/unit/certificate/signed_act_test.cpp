#include "certificate/signed_act.h"

#include <gtest/gtest.h>

#include <sstream>

#include "base/limits.h"
#include "unit/certificate/ssh_sample.h"

namespace aierase::certificate {
namespace {

using ssh_sample::read_text;
using ssh_sample::StockSshKeygen;

Uuid uuid_of(std::initializer_list<int> pattern) {
  Uuid uuid;
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
    uuid.bytes[i] = static_cast<std::byte>(*(pattern.begin() + i % pattern.size()));
  }
  return uuid;
}
Digest digest_of(int value) {
  Digest digest{};
  digest.fill(static_cast<std::byte>(value));
  return digest;
}
UtcTime moment(std::string_view text) {
  return from_rfc3339(text).value();
}
domain::AssetName name_of(const std::string& text) {
  return domain::AssetName::parse(text).value();
}

ActPlan first_plan() {
  ActPlan plan;
  plan.store = uuid_of({0x55});
  plan.host = "vault.example";
  plan.plan = uuid_of({0x01});
  plan.digest = digest_of(0x42);
  plan.requester = "alice";
  plan.reason = "superseded by v5";
  plan.ticket = "OPS-1312";
  plan.notes = {"below the retention floor of class models, on the basis of GDPR Article 17"};
  plan.asset_count = 2;
  plan.assets = {name_of("acme/reviewer:2.0"), name_of("acme/reviewer:2.1")};
  return plan;
}
ActPlan second_plan() {
  ActPlan plan;
  plan.store = uuid_of({0x5B});
  plan.host = "gpu7.example";
  plan.plan = uuid_of({0x02});
  plan.digest = digest_of(0x43);
  plan.requester = "carol";
  plan.reason = "checkpoints of a finished project";
  plan.asset_count = 22;
  for (int i = 1; i <= 20; ++i) plan.assets.push_back(name_of("gauss/step:" + std::to_string(i)));
  return plan;
}
DecisionAct decision() {
  return {ActDecision::approve, moment("2026-12-20T14:18:21Z"), "", {first_plan(), second_plan()}};
}
DecisionAct validation(ActDecision word) {
  DecisionAct act{word, moment("2026-12-20T14:18:21Z"), "a \"word\"\nof mine", {first_plan()}};
  act.plans.front().outcome = ActOutcome{1, digest_of(0x45)};
  return act;
}
StandingApproval standing() {
  return {uuid_of({0x44}),
          uuid_of({0x55}),
          "vault.example",
          "experiments",
          digest_of(0x44),
          "bob",
          moment("2026-11-20T19:30:00Z"),
          moment("2027-05-20T00:00:00Z")};
}
StandingRevocation revocation() {
  return {uuid_of({0x44}), uuid_of({0x55}), "vault.example",
          "experiments",   "bob",           "the project was taken over by another group"};
}

std::vector<SignedAct> all_acts() {
  DecisionAct reject = decision();
  reject.decision = ActDecision::reject;
  reject.comment = "not before the audit";
  return {decision(),
          reject,
          validation(ActDecision::accept),
          validation(ActDecision::reject_outcome),
          validation(ActDecision::escalate),
          standing(),
          revocation()};
}

std::string text_of_act(const SignedAct& act) {
  const auto text = render(act);
  EXPECT_TRUE(text.ok()) << text.error().message;
  return text.ok() ? *text : "";
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// The sample `name` of aierase-approval(5), as a reader sees it.
std::string sample_of_the_page(const std::string& name) {
  const std::string page = read_text(AIERASE_SOURCE_DIR "/man/aierase-approval.5");
  const std::string begin = ".\\\" BEGIN sample " + name + "\n.Bd -literal -offset indent\n";
  const std::size_t from = page.find(begin);
  const std::size_t to = page.find(".Ed\n.\\\" END sample " + name + "\n");
  if (from == std::string::npos || to == std::string::npos) return "";
  std::string sample = page.substr(from + begin.size(), to - from - begin.size());
  for (std::size_t at = sample.find("\\-"); at != std::string::npos; at = sample.find("\\-")) {
    sample.erase(at, 1);
  }
  return sample;
}

TEST(ATextToSign, IsTheOneThatTheManualShows) {
  EXPECT_EQ(text_of_act(decision()), sample_of_the_page("decision"));
}

TEST(ATextToSign, IsReadAsTheActThatItWasWrittenFrom) {
  for (const SignedAct& act : all_acts()) {
    const std::string text = text_of_act(act);
    const auto read = parse_signed_act(text);
    ASSERT_TRUE(read.ok()) << read.error().message << "\n" << text;
    EXPECT_EQ(*read, act);
  }
}

TEST(ATextToSign, SaysInItsFirstLinesWhatItDoes) {
  for (const SignedAct& act : all_acts()) {
    const std::string text = text_of_act(act);
    EXPECT_EQ(text.find("AIERASE "), 0U);
    EXPECT_LT(text.find("By signing this text I "), 100U) << text;
  }
}

TEST(ATextToSign, FitsATerminalAndHasPrintableCharactersOnly) {
  for (const SignedAct& act : all_acts()) {
    for (const std::string& line : lines_of(text_of_act(act))) {
      EXPECT_LE(line.size(), 80U) << line;
      for (const char c : line) EXPECT_TRUE(c >= 0x20 && c < 0x7F) << line;
    }
  }
}

// No change of one character leaves a text that means the same: either it is refused, or it says
// visibly something else, and its signature does not hold.
TEST(ATextToSign, HasNoSecondWriting) {
  for (const SignedAct& act : all_acts()) {
    const std::string text = text_of_act(act);
    for (std::size_t at = 0; at < text.size(); ++at) {
      for (const char other :
           {'a', 'Z', '0', ' ', '"', '\\', '\n', '\r', '\t', '\0', '\x1b', '\xC3'}) {
        std::string changed = text;
        changed[at] = other;
        std::string grown = text;
        grown.insert(at, 1, other);
        for (const std::string& candidate : {changed, grown}) {
          if (candidate == text) continue;
          const auto read = parse_signed_act(candidate);
          if (!read.ok()) continue;
          EXPECT_NE(*read, act) << "at " << at << "\n" << candidate;
          EXPECT_EQ(render(*read).value(), candidate);
        }
      }
      std::string shorter = text;
      shorter.erase(at, 1);
      const auto read = parse_signed_act(shorter);
      EXPECT_FALSE(read.ok() && *read == act) << "without " << at;
    }
    for (std::size_t size = 0; size < text.size(); ++size) {
      EXPECT_FALSE(parse_signed_act(text.substr(0, size)).ok()) << size;
    }
    EXPECT_FALSE(parse_signed_act(text + "\n").ok());
    EXPECT_FALSE(parse_signed_act(text + text).ok());
  }
}

TEST(ATextToSign, NamesTheLineThatIsWrong) {
  std::string text = text_of_act(decision());
  text.replace(text.find("Plans: 2"), 8, "Plans: 3");
  const auto missing = parse_signed_act(text);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().message.find("line 12 of the text to sign: "), 0U)
      << missing.error().message;
  text = text_of_act(decision());
  text.replace(text.find("Assets: 24"), 10, "Assets: 25");
  const auto wrong_sum = parse_signed_act(text);
  ASSERT_FALSE(wrong_sum.ok());
  EXPECT_EQ(wrong_sum.error().message.find("line 10 of the text to sign"), 0U)
      << wrong_sum.error().message;
  text = text_of_act(decision());
  text.replace(text.find("2026-12-20"), 10, "2026-13-20");
  const auto no_time = parse_signed_act(text);
  ASSERT_FALSE(no_time.ok());
  EXPECT_EQ(no_time.error().message.find("line 7 of the text to sign: there is no time"), 0U)
      << no_time.error().message;
}

TEST(WordsOfAStranger, CannotImitateALine) {
  const std::string hostile[] = {
      "x\"\n  Digest: " + std::string(64, '0') + "\n  Reason: \"y",
      "\\\"\\",
      "none",
      "\"none\"",
      "\x1b[2J\x1b[1;1HAIERASE",
      "a\u202Eb\u2066c\u200Bd\uFEFFe",
      "\u2028Decision: reject",
      std::string("a\0b", 3),
      "\U000E0041\U0010FFFF",
      "x\u0085y\u009By",
      std::string(59, ' ') + "Decision: reject" + std::string(200, ' ') + "  Digest: 1",
      std::string(limits::kReasonBytes, '"'),
      std::string(limits::kReasonBytes, '\n'),
      "Über Löschung: 消去 ✓"};
  const std::vector<std::string> usual = lines_of(text_of_act(decision()));
  for (const std::string& words : hostile) {
    DecisionAct act = decision();
    act.comment = words;
    act.plans[0].reason = words;
    act.plans[0].notes = {words, words};
    act.plans[1].ticket = words;
    const std::string text = text_of_act(act);
    const auto read = parse_signed_act(text);
    ASSERT_TRUE(read.ok()) << read.error().message << "\n" << text;
    EXPECT_EQ(*read, SignedAct(act));
    for (const std::string& line : lines_of(text)) {
      const std::size_t label = line.find_first_not_of(' ');
      const bool continued = label == 4 && line[label] == '"';
      const bool known = std::any_of(usual.begin(), usual.end(), [&](const std::string& other) {
        return line == other || line.substr(0, line.find(':')) == other.substr(0, other.find(':'));
      });
      EXPECT_TRUE(continued || known) << line;
      EXPECT_TRUE(!continued || line.back() == '"') << line;
      for (const char c : line) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
      EXPECT_LE(line.size(), 80U) << line;
    }
    EXPECT_EQ(text.find("\u202E"), std::string::npos);
    EXPECT_EQ(text.find("\u2028"), std::string::npos);
    EXPECT_EQ(text.find("\u0085"), std::string::npos);
  }
}

TEST(WordsOfAStranger, AreShownAsTheyAreWhereTheyAreHarmless) {
  DecisionAct act = decision();
  act.comment = "Über Löschung: 消去 ✓";
  EXPECT_NE(text_of_act(act).find("\nComment: \"Über Löschung: 消去 ✓\"\n"), std::string::npos);
  act.comment = "a\tb\u202E\\";
  EXPECT_NE(text_of_act(act).find("\nComment: \"a\\u{9}b\\u{202e}\\\\\"\n"), std::string::npos);
}

TEST(ATextToSign, IsNotMadeOfWhatNobodyWouldUnderstand) {
  const auto refused = [](auto change) {
    DecisionAct act = decision();
    change(act);
    const auto text = render(act);
    EXPECT_FALSE(text.ok()) << *text;
    return text.ok() ? Errc::unexpected : text.error().code;
  };
  EXPECT_EQ(refused([](DecisionAct& act) { act.plans.clear(); }), Errc::invalid_input);
  EXPECT_EQ(refused([](DecisionAct& act) { act.plans.push_back(first_plan()); }),
            Errc::invalid_input);
  EXPECT_EQ(refused([](DecisionAct& act) { act.decision = ActDecision::reject; }),
            Errc::invalid_input);
  EXPECT_EQ(refused([](DecisionAct& act) { act.decision = ActDecision::accept; }),
            Errc::invalid_input);
  EXPECT_EQ(refused([](DecisionAct& act) { act.plans[0].outcome = ActOutcome{}; }),
            Errc::invalid_input);
  EXPECT_EQ(refused([](DecisionAct& act) { act.plans[0].host.clear(); }), Errc::invalid_input);
  EXPECT_EQ(refused([](DecisionAct& act) { act.plans[0].reason.clear(); }), Errc::invalid_input);
  EXPECT_EQ(refused([](DecisionAct& act) { act.plans[0].requester = "\xFF"; }),
            Errc::invalid_input);
  EXPECT_EQ(refused([](DecisionAct& act) { act.plans[0].asset_count = 3; }), Errc::invalid_input);
  EXPECT_EQ(refused([](DecisionAct& act) { act.plans[0].notes = {""}; }), Errc::invalid_input);
  EXPECT_EQ(refused([](DecisionAct& act) { act.plans[1].asset_count = limits::kItemsPerPlan + 1; }),
            Errc::invalid_input);
  EXPECT_EQ(refused([](DecisionAct& act) {
              act.plans[0].notes.assign(limits::kNotesPerSignedPlan + 1, "note");
            }),
            Errc::invalid_input);
  EXPECT_EQ(
      refused([](DecisionAct& act) { act.comment = std::string(limits::kReasonBytes + 1, 'x'); }),
      Errc::resource_limit);
  EXPECT_EQ(refused([](DecisionAct& act) { act.valid_until = from_unix(253'402'300'800); }),
            Errc::invalid_input);
}

TEST(ATextToSign, HasALimitOfPlansAndOfBytes) {
  const auto with = [](std::size_t plans, const std::string& reason) {
    DecisionAct act = decision();
    act.plans.assign(plans, first_plan());
    for (std::size_t i = 0; i < plans; ++i) {
      act.plans[i].plan = uuid_of({1, static_cast<int>(i)});
      act.plans[i].reason = reason;
    }
    return act;
  };
  EXPECT_TRUE(parse_signed_act(text_of_act(with(limits::kPlansPerSignedAct, "r"))).ok());
  const auto many = render(with(limits::kPlansPerSignedAct + 1, "r"));
  ASSERT_FALSE(many.ok());
  EXPECT_EQ(many.error().code, Errc::resource_limit);
  const auto large =
      render(with(limits::kPlansPerSignedAct, std::string(limits::kReasonBytes, '\n')));
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.error().code, Errc::resource_limit);
  EXPECT_FALSE(parse_signed_act(std::string(limits::kSignedActBytes + 1, 'x')).ok());
}

TEST(AStandingApproval, EndsAfterItBegins) {
  StandingApproval act = standing();
  act.valid_until = act.valid_from;
  EXPECT_FALSE(render(act).ok());
}

TEST(Validity, EndsAtTheMomentThatTheTextNames) {
  const auto one = std::chrono::seconds(1);
  const DecisionAct act = decision();
  EXPECT_TRUE(check_validity(act, act.valid_until - one).ok());
  EXPECT_EQ(check_validity(act, act.valid_until).error().code, Errc::approval_expired);
  const StandingApproval always = standing();
  EXPECT_EQ(check_validity(always, always.valid_from - one).error().code, Errc::wrong_state);
  EXPECT_TRUE(check_validity(always, always.valid_from).ok());
  EXPECT_TRUE(check_validity(always, always.valid_until - one).ok());
  EXPECT_EQ(check_validity(always, always.valid_until).error().code, Errc::approval_expired);
  EXPECT_TRUE(check_validity(revocation(), always.valid_until + one).ok());
}

TEST(TextsOfSeveralHosts, BecomeOne) {
  DecisionAct here = decision();
  here.plans = {first_plan()};
  DecisionAct there = decision();
  there.plans = {second_plan()};
  there.valid_until -= std::chrono::hours(1);
  const auto both = merge({here, there});
  ASSERT_TRUE(both.ok()) << both.error().message;
  EXPECT_EQ(both->plans, decision().plans);
  EXPECT_EQ(both->valid_until, there.valid_until);
  EXPECT_FALSE(merge({}).ok());
  EXPECT_FALSE(merge({here, here}).ok()) << "a plan twice";
  there.comment = "another";
  EXPECT_FALSE(merge({here, there}).ok());
}

TEST(TheDigestOfCertificates, IsThatOfLinesOfSha256sum) {
  const std::vector<CertifiedStatement> statements = {{uuid_of({0x5B}), digest_of(2)},
                                                      {uuid_of({0x55}), digest_of(1)}};
  const std::string lines = to_hex(digest_of(1)) + "  c-kvkvkvkvkvkvkvkvkvkvkvkvku\n" +
                            to_hex(digest_of(2)) + "  c-lnnvww23lnnvww23lnnvww23lm\n";
  EXPECT_EQ(certificates_digest(statements), crypto::sha256(as_bytes(lines)));
}

TEST(ATextAndItsSignature, MayStandInOneFile) {
  const StockSshKeygen stock;
  stock.make_key("key", "-t ed25519");
  const std::string text = text_of_act(decision());
  const std::string signature = stock.sign("key", text);
  for (const std::string& behind : {std::string(), std::string("\n\r\n \n")}) {
    const std::string file = text + signature + behind;
    const SignedFile parts = split_signed_file(file);
    EXPECT_EQ(parts.text, text);
    EXPECT_TRUE(verify_ssh_signature(parts.signature, parts.text).ok());
  }
  EXPECT_EQ(split_signed_file(text).text, text);
  EXPECT_TRUE(split_signed_file(text).signature.empty());
}

// The commands of the page, on this text, this signature and this key: 0 where they say it holds.
int run_ssh_recipe(const StockSshKeygen& stock, const std::string& name) {
  const std::string command = "sh '" AIERASE_SOURCE_DIR "/tests/cli/ssh_recipe_test.sh' '" +
                              std::string(AIERASE_SOURCE_DIR "/man/aierase-approval.5") + "' '" +
                              stock.path(name) + "' '" + stock.path("key") + "' >'" +
                              stock.path("said") + "' 2>&1";
  return std::system(command.c_str());
}

TEST(TheRecipeOfTheManual, SignsATextThatWeAndStockSshKeygenVerify) {
  const StockSshKeygen stock;
  const std::string line = stock.make_key("key", "-t ed25519");
  const std::string text = text_of_act(decision());
  ssh_sample::write_text(stock.path("request.txt"), text);
  ASSERT_EQ(run_ssh_recipe(stock, "request.txt"), 0) << read_text(stock.path("said"));
  const auto signer = verify_ssh_signature(read_text(stock.path("request.txt.sig")), text);
  ASSERT_TRUE(signer.ok()) << signer.error().message;
  EXPECT_EQ(signer->key, SshPublicKey::from_line(line).value());
  EXPECT_NE(read_text(stock.path("said")).find(signer->key.fingerprint()), std::string::npos);
  // The signature made above stays; the text under it changes.
  ssh_sample::write_text(stock.path("request.txt"), text + " ");
  EXPECT_NE(run_ssh_recipe(stock, "request.txt"), 0);
}

}  // namespace
}  // namespace aierase::certificate
