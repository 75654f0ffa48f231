/** Every alert has its page and every page its alert, and what the pages tell people to type still exists. */
import { describe, expect, test } from "vitest";
import { DOCUMENTS, storeKey } from "../../src/kubernetes/names.ts";
import { identities } from "../../src/model/identity.ts";
import type { Model } from "../../src/model/resolve.ts";
import { faultsOfCircl } from "../support/circl-words.ts";
import { realModel } from "../support/definitions.ts";
import { inhibitRules, matched, overview } from "../support/inhibition.ts";
import { faultsOfKubectl } from "../support/kubectl-words.ts";
import { objectsOf } from "../support/manifests.ts";
import { faultsOfNats } from "../support/nats-words.ts";
import { alertsIn } from "../support/promtool.ts";
import { pages, wordsOf } from "../support/runbooks.ts";
import { everything } from "./everything.ts";

const alerts = alertsIn(everything);
const production = objectsOf(realModel("production"));

test("every alert of any environment has a page, and every page an alert", () => {
  const names = new Set([...alerts, ...alertsIn(realModel("staging"))].map(({ alert }) => alert));
  expect(pages.map(({ name }) => name).sort()).toEqual(["README", ...names].sort());
});

describe.each(alerts.map(({ alert, labels }) => [alert, labels.severity] as const))("%s", (name, severity) => {
  const text = pages.find((page) => page.name === name)?.text ?? "";

  test("says its name, its severity, and all four things one asks at night", () => {
    expect(text.startsWith(`# ${name}\n\nSeverity: ${severity}\n`)).toBe(true);
    expect([...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title)).toEqual([
      "What it means",
      "How to look",
      "What to do",
      "How to confirm",
    ]);
    // Something to type where it says how to look and how to confirm.
    for (const part of text.split("## ").filter((section) => section.startsWith("How")))
      expect(part).toContain("```sh\n");
  });

  test("leads only to pages that exist", () => {
    for (const [, link = ""] of text.matchAll(/\]\((\w+)\.md(#\w+)?\)/g)) {
      expect(pages.map((page) => page.name)).toContain(link);
    }
  });
});

const documentsOf = (model: Model): string[] =>
  [
    ...identities(model).flatMap(({ name }) => [DOCUMENTS.identity(name), DOCUMENTS.client(name)]),
    DOCUMENTS.tile38,
    DOCUMENTS.encryption,
    DOCUMENTS.trust,
  ].map((document) => storeKey(model.environment, document));

const commands = pages.flatMap(({ name, commands: own }) =>
  own.map((command) => ({ page: name, words: wordsOf(command) })),
);
const starting = (...programs: string[]) => commands.filter(({ words }) => programs.includes(words[0] ?? ""));

test("nothing is typed that is not looked at here", () => {
  const known = ["bin/circl", "circl", "gcloud", "kubectl", "nats"];
  expect(commands.filter(({ words }) => !known.includes(words[0] ?? ""))).toEqual([]);
  expect(starting("kubectl").length).toBeGreaterThan(100);
});

test("kubectl commands speak of what is in the manifests of production", () => {
  const faults = starting("kubectl").flatMap(({ page, words }) =>
    // What stands in a sentence may be the beginning of a command alone.
    words.includes("-n")
      ? faultsOfKubectl(words, production).map((fault) => `${page}: ${words.join(" ")}: ${fault}`)
      : [],
  );
  expect(faults).toEqual([]);
});

test.each([
  ["kubectl -n circl-backbone get pods nats-7", "no Pod nats-7"],
  ["kubectl -n elsewhere get pods", "not in the namespace circl-backbone"],
  ["kubectl -n circl-backbone logs nats-0 -c sidecar", "no container sidecar in nats-0"],
  ["kubectl -n circl-backbone rollout restart statefulset/tile38", "no StatefulSet tile38"],
  ["kubectl -n circl-backbone get pods -l app.kubernetes.io/name=redis", "no pod with app.kubernetes.io/name=redis"],
])("%s would be found", (command, fault) => {
  expect(faultsOfKubectl(wordsOf(command), production)).toContain(fault);
});

test("nats commands are typed as people who may do what they ask for", () => {
  expect(starting("nats").length).toBeGreaterThan(60);
  const faults = starting("nats").flatMap(({ page, words }) =>
    faultsOfNats(words, realModel("production")).map((fault) => `${page}: ${words.join(" ")}: ${fault}`),
  );
  expect(faults).toEqual([]);
});

test.each([
  ["nats --context circl stream ls", 'no person "circl"'],
  ["nats --context oms stream ls", 'no person "oms"'],
  [
    "nats --context operator-read stream view circl_dlq 10",
    "operator-read may not ask $JS.API.CONSUMER.CREATE.circl_dlq.x",
  ],
  ["nats --context operator-read stream get circl_oms 1", "operator-read may not ask $JS.API.STREAM.MSG.GET.circl_oms"],
  [
    "nats --context operator-streams stream purge circl_oms",
    "operator-streams may not ask $JS.API.STREAM.PURGE.circl_oms",
  ],
  ["nats --context operator-system server cluster peer-remove n2", "operator-system may not ask $JS.API.SERVER.REMOVE"],
  ["nats --context operator-read events", 'nobody said what "events" asks'],
  ["nats context add sys --user sys", 'no person "sys"'],
  ["nats context add operator-read --nkey a.nk", "operator-read hears nothing at nats"],
])("%s would be found", (command, fault) => {
  expect(faultsOfNats(wordsOf(command), realModel("production"))).toContain(fault);
});

test("seeds come from the documents of those whose contexts are made", () => {
  const { environment } = realModel("production");
  const secrets = starting("gcloud").map(({ words }) => words[words.indexOf("--secret") + 1]);
  const people = Object.keys(environment.nats.people);
  expect(secrets).toEqual(people.map((name) => storeKey(environment, DOCUMENTS.client(name))));
  const contexts = starting("nats").filter(({ words }) => words[1] === "context");
  expect(contexts.map(({ words }) => words[3])).toEqual(people);
});

test("the documents of the secret store that pages name exist", () => {
  const model = realModel("production");
  const real = documentsOf(model);
  const named = pages.flatMap(({ text }) =>
    [...text.matchAll(/production-(?:nats|tile38)-[a-z0-9-]+/g)].map(([id]) => id),
  );
  expect(named).toContain("production-tile38-password");
  expect(named.filter((id) => !real.includes(id))).toEqual([]);
  // What a server's own configuration calls its password is no key of a document.
  expect(
    pages.filter(({ text }) => /`leaderauth`|document.{0,40}`maxmemory`|`maxmemory`.{0,40}document/s.test(text)),
  ).toEqual([]);
});

test("circl commands and their flags are declared", async () => {
  const used = starting("bin/circl", "circl");
  expect(used.length).toBeGreaterThan(20);
  const faults: string[] = [];
  for (const { page, words } of used) {
    const wrong = await faultsOfCircl(words.slice(1));
    faults.push(...wrong.map((fault) => `${page}: ${words.join(" ")}: ${fault}`));
  }
  expect(faults).toEqual([]);
});

describe("the overview", () => {
  test("lists every alert with its severity and how long it waits", () => {
    const rows = [...overview.matchAll(/^\| \[(\w+)\]\(runbooks\/\w+\.md\) \| (\w+) \| (\w+) \|$/gm)];
    expect(rows.map(([, name, severity, waits]) => [name, severity, waits])).toEqual(
      alerts.map((alert) => [alert.alert, alert.labels.severity, alert.for]),
    );
  });

  test("silences nothing of another environment", () => {
    expect(inhibitRules.length).toBeGreaterThan(5);
    expect(inhibitRules.filter(({ equal }) => !equal?.includes("environment"))).toEqual([]);
    for (const name of ["staging", "production"] as const)
      expect(new Set(alertsIn(realModel(name)).map(({ labels }) => labels.environment))).toEqual(new Set([name]));
  });

  test("silences only alerts that exist, by others that exist", () => {
    const names = alerts.map(({ alert }) => alert);
    for (const matcher of inhibitRules.flatMap((rule) => [...rule.source_matchers, ...rule.target_matchers])) {
      expect(matched(matcher, names), matcher).not.toEqual([]);
    }
  });
});
