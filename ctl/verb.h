// The verb table: every verb of `aierase` with its options, once; help, completion, parsing and
// the comparison with the manual (cli.manual) are made from it.
//
// Contract: constant data, no behaviour. A verb that is not here does not exist. An option's
// `words` feed completion: a list of words, or "%assets", "%plans", "%holds", "%records"
// (certificates and plans) for live names, "%files" for paths. Specified in: aierase(1) VERBS.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace aierase::ctl {

enum class Group { host, models, end_of_life, rules, evidence, shell };
enum class Reach { daemon, offline };
enum class Bulk { no, yes };  // passes descriptors: refused with --host
enum class Arity { flag, once, many };

struct Option {
  std::string_view name;
  std::string_view value;  // placeholder; empty for a flag
  Arity arity = Arity::once;
  std::string_view help;
  std::string_view words = {};
};

struct Verb {
  std::string_view name;  // one or two words
  Group group;
  std::string_view operands;  // as the synopsis prints them
  std::string_view summary;
  std::span<const Option> options;
  std::size_t least;  // operands
  std::size_t most;
  Reach reach = Reach::daemon;
  Bulk bulk = Bulk::no;
  std::string_view words = {};  // completion of operands
};

inline constexpr std::size_t kAnyNumber = static_cast<std::size_t>(-1);

inline constexpr std::array kGlobalOptions{
    Option{"host", "USER@HOST", Arity::once, "talk to the daemon of another host through ssh"},
    Option{"bus", "BUS", Arity::once, "the bus: system, session, or a D-Bus address",
           "system session"},
    Option{"json", "", Arity::flag, "print one JSON object for programs"},
    Option{"quiet", "", Arity::flag, "print only the id of what was made"},
    Option{"no-ask-password", "", Arity::flag, "never ask for a password or passphrase"},
    Option{"help", "", Arity::flag, "explain the verb"},
};
// Short forms: -H host, -q quiet, -h help.

inline constexpr std::array kInitOptions{
    Option{"root-slot", "file[:PATH]|tpm2|tpm2+file", Arity::once,
           "where the root slot lives: a file outside the store (file:/var/lib/aierase-root/slot), "
           "the TPM, or a share in each; by itself the TPM, where one answers",
           "file file: tpm2 tpm2+file"},
    Option{"unlock", "HOW", Arity::once,
           "protect the store at rest: credential, keyfile:PATH, passphrase, none",
           "credential keyfile: passphrase none"},
    Option{"single-operator", "", Arity::flag,
           "let one person ask and approve; every certificate says so"},
    Option{"two-person", "", Arity::flag,
           "whoever asks does not approve (the default); on a single-operator store: from now on"},
    Option{"adopt", "", Arity::flag, "accept a store whose machine-id has changed"},
};
inline constexpr std::array kStatusOptions{
    Option{"openmetrics", "", Arity::flag, "print numbers for a monitor, as OpenMetrics text"},
    Option{"conformance", "", Arity::flag, "print what this contributes to ETSI EN 304 223"},
};
inline constexpr std::string_view kMatchKeys =
    "asset= name= label. retention= kind= custodian= state= derived-from= trained-on= unused-for= "
    "due-before=";
inline constexpr std::array kCheckOptions{
    Option{
        "match", "K=V", Arity::many,
        "only assets that match, by all of them: name=GLOB, label.K=GLOB, kind=, unused-for=, ...",
        kMatchKeys},
    Option{"deep", "", Arity::flag, "read every byte, not only the structure"},
    Option{"max-rate", "R", Arity::once, "with --deep: at most R bytes a second (200M, 1G)"},
};
inline constexpr std::array kImportOptions{
    Option{"tar", "", Arity::flag, "PATH or standard input is a tar archive with many files"},
    Option{"generate", "", Arity::flag, "make a fresh 32-byte key (with --kind dataset-key)"},
    Option{"kind", "KIND", Arity::once,
           "model, adapter, checkpoint, dataset-key, embedding-index, configuration",
           "model adapter checkpoint dataset-key embedding-index configuration"},
    Option{"custodian", "U", Arity::many, "who answers for it: a user, or @GROUP"},
    Option{"retention", "CLASS", Arity::once, "its retention class (default)"},
    Option{"label", "K=V", Arity::many, "a label"},
    Option{"derived-from", "A", Arity::many, "the asset it was made from", "%assets"},
    Option{"trained-on", "A", Arity::many, "the data it was trained on", "%assets"},
    Option{"configured-by", "A", Arity::many, "the configuration it needs", "%assets"},
    Option{"supersedes", "A", Arity::many, "the asset it replaces", "%assets"},
    Option{"remove-source", "", Arity::flag,
           "after the commit, remove exactly the files that were imported"},
    Option{"source-history", "HISTORY", Arity::once,
           "encrypted-from-first-write: your word that the stream never lay in the clear",
           "encrypted-from-first-write"},
};
inline constexpr std::array kExportOptions{
    Option{"file", "F", Arity::once, "one file of the asset"},
    Option{"range", "A-B", Arity::once, "bytes A to B of that file, both included, from 0"},
    Option{"tensor", "T", Arity::once, "the bytes of one tensor, as show --tensors names it"},
    Option{"tar", "", Arity::flag, "all files as one tar archive"},
};
inline constexpr std::array kListOptions{
    Option{
        "match", "K=V", Arity::many,
        "only assets that match, by all of them: name=GLOB, label.K=GLOB, kind=, unused-for=, ...",
        kMatchKeys},
    Option{"json-lines", "", Arity::flag, "one JSON object per line"},
};
inline constexpr std::array kSetOptions{
    Option{"label", "K=V|K-", Arity::many, "set a label, or remove it"},
    Option{"retention", "C", Arity::once, "another retention class"},
    Option{"custodian", "U", Arity::many, "the new custodians, all of them"},
    Option{"event", "E[=DATE]", Arity::once,
           "when something happened, or that it did today: placed-on-market=2026-11-02",
           "placed-on-market placed-on-market="},
    Option{"reason", "T", Arity::once, "why; recorded"},
};
inline constexpr std::array kHoldLiftOptions{
    Option{"reason", "T", Arity::once, "why; recorded"},
};
inline constexpr std::array kSuspendOptions{
    Option{"match", "K=V", Arity::many,
           "what is active and matches, by all of them: name=GLOB, label.K=GLOB, unused-for=, ...",
           kMatchKeys},
    Option{"reason", "T", Arity::once, "why; recorded"},
};
inline constexpr std::array kResumeOptions{
    Option{"match", "K=V", Arity::many,
           "what is suspended and matches, by all of them: name=GLOB, label.K=GLOB, kind=, ...",
           kMatchKeys},
    Option{"reason", "T", Arity::once, "why; recorded"},
};
inline constexpr std::array kShowOptions{
    Option{"tensors", "", Arity::flag, "of an asset: its tensors, their types, shapes and places"},
    Option{"request", "", Arity::flag, "print the text that a person signs to decide about plans"},
    Option{"reason", "T", Arity::once, "in that text: why; needed unless it approves or accepts"},
    Option{"until", "T", Arity::once, "in that text: refused from then on: 2026-11-20"},
    Option{"with", "FILE", Arity::many, "in that text: also what this text of another host says",
           "%files"},
    Option{"standing", "CLASS", Arity::once,
           "with --request: the text of an approval in advance, of this retention class"},
    Option{"approver", "U", Arity::once, "with --standing: the person who will sign it"},
    Option{"approval", "ID", Arity::once, "with --standing and reject: which one, of several"},
};
inline constexpr std::array kApproveOptions{
    Option{"standing", "CLASS", Arity::once,
           "in advance, what this retention class makes due for the nightly run"},
    Option{"until", "DATE", Arity::once, "with --standing: to the end of that day, a year at most"},
    Option{"signed", "FILE", Arity::once,
           "hand in a signed text, signature behind it or in FILE.sig", "%files"},
};
inline constexpr std::array kRejectOptions{
    Option{"reason", "T", Arity::once, "why; recorded"},
    Option{"standing", "CLASS", Arity::once,
           "revoke all that you approved in advance for this retention class"},
    Option{"signed", "FILE", Arity::once,
           "hand in a signed text, signature behind it or in FILE.sig", "%files"},
};
inline constexpr std::array kRetireOptions{
    Option{"reason", "T", Arity::once, "why; stands on the certificate"},
    Option{"ticket", "T", Arity::once, "the number of a ticket; stands on the certificate"},
    Option{"match", "K=V", Arity::many,
           "select assets that match, by all of them: name=GLOB, label.K=GLOB, due-before=, ...",
           kMatchKeys},
    Option{"cascade", "", Arity::flag, "include everything that was derived from them"},
    Option{"keep", "D=REASON", Arity::many, "dependant D stays, and why"},
    Option{"skip-blocked", "", Arity::flag, "leave out what is blocked instead of refusing"},
    Option{"now", "", Arity::flag, "no grace: erase at once when approved, where the class allows"},
    Option{"below-floor", "BASIS", Arity::once,
           "sooner than a floor allows, on that legal basis; needs one more approval"},
    Option{"dry-run", "", Arity::flag, "show the plan; make nothing"},
};
inline constexpr std::array kValidateOptions{
    Option{"reason", "T", Arity::once, "why; needed unless accepted"},
    Option{"remedy", "T", Arity::once, "what has to be done, of what is not accepted"},
    Option{"signed", "FILE", Arity::once,
           "hand in a signed text, signature behind it or in FILE.sig", "%files"},
};
inline constexpr std::array kHoldPlaceOptions{
    Option{"matter", "M", Arity::once, "the case or inquiry it belongs to"},
    Option{"reason", "T", Arity::once, "why; recorded"},
    Option{"match", "K=V", Arity::many,
           "upon what, by all of them: name=GLOB, label.K=GLOB, kind=, derived-from=, ...",
           kMatchKeys},
    Option{"future", "", Arity::flag, "also upon what comes to match later"},
};
inline constexpr std::array kPolicyLoadOptions{
    Option{"reason", "T", Arity::once, "why; recorded"},
    Option{"dry-run", "", Arity::flag, "show what would change; load nothing"},
};
inline constexpr std::array kEnforceOptions{
    Option{"dry-run", "", Arity::flag, "say what would be due; write nothing"},
    Option{"at", "T", Arity::once, "in a dry run: by that moment: 2031-01-01"},
    Option{"confirm-clock", "", Arity::flag, "you have looked: the clock of this host is right"},
};
inline constexpr std::array kWaitOptions{
    Option{"for", "STATE", Arity::once, "approved, erased, or final", "approved erased final"},
    Option{"timeout", "D", Arity::once, "give up after D: 30s, 5min, 1h, PT5M"},
};
inline constexpr std::array kVerifyOptions{
    Option{"trust", "DIR", Arity::once, "directory of trusted keys (/etc/aierase/trust.d)",
           "%files"},
    Option{"from", "CHECKPOINT", Arity::once,
           "a checkpoint you kept: show that nothing was dropped between it and FILE", "%files"},
};
inline constexpr std::array kLogCheckpointOptions{
    Option{"from", "CHECKPOINT", Arity::once,
           "with the proof that it continues the log of this earlier one", "%files"},
};
inline constexpr std::array kCertificateTrustOptions{
    Option{"rotate", "", Arity::flag, "give signer and log new keys first"},
};
inline constexpr std::array kCertificateExportOptions{
    Option{"format", "F", Arity::once,
           "bundle (for programs, signed), html or text (for people), or timestamp-request",
           "bundle html text timestamp-request"},
    Option{"timestamp", "FILE", Arity::many,
           "with this answer of a time stamping authority to such a request", "%files"},
};
inline constexpr std::array kCertificateAmendOptions{
    Option{"reason", "T", Arity::once, "what it shows; needed"},
    Option{"evidence", "FILE", Arity::once, "a file from outside: its SHA-256 is signed", "%files"},
    Option{"media-type", "TYPE", Arity::once,
           "what kind of file that is; application/octet-stream if absent"},
    Option{"closes", "CODE", Arity::many, "a residual of the certificate that it closes"},
    Option{"erased-again", "C", Arity::once, "the certificate of a later erasure", "%records"},
};
inline constexpr std::array kCertificateBundleOptions{
    Option{"from", "T", Arity::once,
           "what was signed from then on: 2026-01-01, 2026-01-01T00:00:00Z, 90d; all if absent"},
    Option{"to", "T", Arity::once, "up to then, a date to its end; until now if absent"},
    Option{"match", "K=V", Arity::many,
           "only of assets that match, by all of them: name=GLOB, label.K=GLOB, kind=, ...",
           kMatchKeys},
    Option{"add", "ARCHIVE", Arity::many, "join archives of many hosts, without a daemon",
           "%files"},
};
inline constexpr std::array kAuditOptions{
    Option{"since", "T", Arity::once, "from then on: 2026-11-20, 2026-11-20T19:30:00Z, 2h, 7d"},
    Option{"until", "T", Arity::once, "up to then, a date to its end"},
    Option{"after", "NUMBER", Arity::once, "only rows behind that one, to go on where one ended"},
    Option{"who", "U", Arity::once, "calls of this person: a uid or a login"},
    Option{
        "action", "ACTION", Arity::once,
        "calls that asked polkit for this, or notices of this kind",
        "read import export export-key mount change retire approve validate place-hold lift-hold "
        "manage-policy manage-store erase plan-waits erasure-comes validation-waits approval-ends "
        "plan-expires stopped overdue enrolment"},
    Option{"outcome", "OUTCOME", Arity::once,
           "ok, begun, notice, or the code of an error: access_denied",
           "ok begun notice access_denied not_found usage invalid_input"},
    Option{"follow", "", Arity::flag, "go on with what comes; without --since from now on"},
    Option{"json-lines", "", Arity::flag, "one JSON object per line"},
};

inline constexpr std::array<Option, 0> kNoOptions{};

inline constexpr std::array kVerbs{
    Verb{"init", Group::host, "", "create the store that the daemon was started on", kInitOptions,
         0, 0},
    Verb{"unlock", Group::host, "", "give the passphrase of a locked store", kNoOptions, 0, 0,
         Reach::daemon, Bulk::yes},
    Verb{"slot move", Group::host, "file|tpm2|tpm2+file", "give the root slot another home",
         kNoOptions, 1, 1, Reach::daemon, Bulk::no, "file tpm2 tpm2+file"},
    Verb{"status", Group::host, "", "state of store, root slot and signer", kStatusOptions, 0, 0},
    Verb{"doctor", Group::host, "", "explain each finding and how to mend it", kNoOptions, 0, 0},
    Verb{"check", Group::host, "[A...|-]", "verify store, blobs, key tree and log", kCheckOptions,
         0, kAnyNumber, Reach::daemon, Bulk::no, "%assets"},

    Verb{"import", Group::models, "NAME [PATH...|-]", "take files in under a key of their own",
         kImportOptions, 1, kAnyNumber, Reach::daemon, Bulk::yes, "%files"},
    Verb{"export", Group::models, "A [DEST|-]", "hand files or a key out; recorded for ever",
         kExportOptions, 1, 2, Reach::daemon, Bulk::yes, "%assets"},
    Verb{"mount", Group::models, "A DIR", "a read-only view, until it is retired", kNoOptions, 2, 2,
         Reach::daemon, Bulk::yes, "%assets"},
    Verb{"list", Group::models, "[assets|plans|certificates|holds|approvals]", "what is there",
         kListOptions, 0, 1, Reach::daemon, Bulk::no, "assets plans certificates holds approvals"},
    Verb{"show", Group::models, "[ID]", "one asset, plan, certificate or hold in full",
         kShowOptions, 0, kAnyNumber, Reach::daemon, Bulk::no, "%all"},
    Verb{"set", Group::models, "A", "change labels, retention or custodians", kSetOptions, 1, 1,
         Reach::daemon, Bulk::no, "%assets"},
    Verb{"suspend", Group::models, "[A...|-]", "make assets unusable for now", kSuspendOptions, 0,
         kAnyNumber, Reach::daemon, Bulk::no, "%assets"},
    Verb{"resume", Group::models, "[A...|-]", "make suspended assets usable again", kResumeOptions,
         0, kAnyNumber, Reach::daemon, Bulk::no, "%assets"},

    Verb{"retire", Group::end_of_life, "[A...|-]", "ask for the end of assets: makes a plan",
         kRetireOptions, 0, kAnyNumber, Reach::daemon, Bulk::no, "%assets"},
    Verb{"approve", Group::end_of_life, "[P@DIGEST]",
         "approve exactly that plan; then it is erased", kApproveOptions, 0, 1, Reach::daemon,
         Bulk::no, "%plans"},
    Verb{"reject", Group::end_of_life, "[P]", "refuse a plan", kRejectOptions, 0, 1, Reach::daemon,
         Bulk::no, "%plans"},
    Verb{"cancel", Group::end_of_life, "P", "take a plan back", kNoOptions, 1, 1, Reach::daemon,
         Bulk::no, "%plans"},
    Verb{"wait", Group::end_of_life, "ID", "block until a plan or asset is so far", kWaitOptions, 1,
         1, Reach::daemon, Bulk::no, "%all"},
    Verb{"validate", Group::end_of_life, "[P|C accept|reject|escalate]",
         "say whether the outcome of an erasure is accepted", kValidateOptions, 0, 2, Reach::daemon,
         Bulk::no, "%all"},

    Verb{"hold place", Group::rules, "", "forbid the erasure of what matches, for a matter",
         kHoldPlaceOptions, 0, 0},
    Verb{"hold lift", Group::rules, "H", "end a legal hold; what it kept waiting goes on",
         kHoldLiftOptions, 1, 1, Reach::daemon, Bulk::no, "%holds"},
    Verb{"policy check", Group::rules, "FILE...", "check a retention policy, and say what it means",
         kNoOptions, 1, kAnyNumber, Reach::offline, Bulk::no, "%files"},
    Verb{"policy load", Group::rules, "FILE...",
         "bring a policy into force, and show what it changes", kPolicyLoadOptions, 1, kAnyNumber,
         Reach::daemon, Bulk::no, "%files"},
    Verb{"policy test", Group::rules, "FILE...", "run the fixtures that lie beside a policy",
         kNoOptions, 1, kAnyNumber, Reach::offline, Bulk::no, "%files"},

    Verb{"enforce", Group::rules, "", "plan and erase what the policy makes due: the nightly run",
         kEnforceOptions, 0, 0},

    Verb{"verify", Group::evidence, "FILE...",
         "check certificates, archives, proofs, logs, without daemon or network", kVerifyOptions, 1,
         kAnyNumber, Reach::offline, Bulk::no, "%files"},
    Verb{"certificate export", Group::evidence, "C|P FILE",
         "write a certificate, or the record of a plan that was refused", kCertificateExportOptions,
         2, 2, Reach::daemon, Bulk::yes, "%records"},
    Verb{"certificate amend", Group::evidence, "C",
         "add to a certificate what was found afterwards", kCertificateAmendOptions, 1, 1,
         Reach::daemon, Bulk::no, "%records"},
    Verb{"certificate bundle", Group::evidence, "FILE|-",
         "one archive for an audit: certificates, refusals, decisions, proofs",
         kCertificateBundleOptions, 1, 1, Reach::daemon, Bulk::yes, "%files"},
    Verb{"certificate trust", Group::evidence, "DIR", "write the store's public keys for others",
         kCertificateTrustOptions, 1, 1, Reach::daemon, Bulk::no, "%files"},
    Verb{"log checkpoint", Group::evidence, "[FILE]", "the signed head of the log",
         kLogCheckpointOptions, 0, 1, Reach::daemon, Bulk::no, "%files"},
    Verb{"audit", Group::evidence, "[A]", "who called what upon what, and how it ended",
         kAuditOptions, 0, 1, Reach::daemon, Bulk::no, "%assets"},

    Verb{"completion", Group::shell, "bash|zsh|fish", "print the completion script of a shell",
         kNoOptions, 1, 1, Reach::offline, Bulk::no, "bash zsh fish"},
    Verb{"help", Group::shell, "[VERB]", "explain a verb", kNoOptions, 0, 2, Reach::offline,
         Bulk::no, "%verbs"},
};

constexpr std::string_view title_of(Group group) {
  switch (group) {
    case Group::host:
      return "host";
    case Group::models:
      return "models";
    case Group::end_of_life:
      return "end of life";
    case Group::rules:
      return "holds and rules";
    case Group::evidence:
      return "evidence";
    case Group::shell:
      return "shell";
  }
  return {};
}

constexpr const Verb* find_verb(std::string_view name) {
  for (const Verb& verb : kVerbs) {
    if (verb.name == name) return &verb;
  }
  return nullptr;
}

}  // namespace aierase::ctl
