import { describe, expect, test } from "vitest";
import { identities } from "../../../src/model/identity.ts";
import { authTemplate, renderAuth } from "../../../src/nats/auth-template.ts";
import { modelWith, realModel } from "../../support/definitions.ts";
import { credentialsOf, renderedAuth } from "../../support/identities.ts";
import { without } from "../../support/tools.ts";

const KEY = `U${"Y".repeat(55)}`;
const HASH = `$2a$11$${"x".repeat(53)}`;
const model = realModel("production");
const passwords = modelWith({ environment: { nats: { clients: { passwords: ["oms"] } } } });
/** As many public keys as there are letters. */
const key = (i: number): string => `U${String.fromCharCode(65 + i).repeat(55)}`;
/** A document with a key of its own for everybody, those in `other` changed. */
const documents = (other: Record<string, Record<string, string>> = {}, of = model) => ({
  ...Object.fromEntries(identities(of).map(({ name }, i) => [name, { current: key(i), previous: "" }])),
  ...other,
});

test("the template holds accounts, users and permissions, and of keys only where they go", () => {
  const text = authTemplate(model);
  expect(text).toContain('nkey: {{ template "nkey" (list "oms" .) }}');
  expect(text).toContain("{{- range list .stream_sync_current .stream_sync_previous }}{{ if . }}");
  expect(text).toContain('"$JS.API.CONSUMER.MSG.NEXT.circl_oms.oms-commands"');
  expect(text).not.toMatch(/no_auth_user|default_permissions/);
  expect(authTemplate(realModel("production"))).toBe(text);
});

test("a previous login stands beside the current one until the rotation is finished, with the same permissions", () => {
  const previous = `U${"Z".repeat(55)}`;
  const before = renderAuth(model, documents());
  const during = renderAuth(model, documents({ oms: { current: KEY, previous } }));
  expect(before).not.toContain(previous);
  expect(during.match(new RegExp(previous, "g"))).toHaveLength(1);
  const [, oms = ""] = during.split("# oms, service");
  const [first, second] = [...oms.matchAll(/nkey: "(U\w+)"\n([\s\S]*?\n {6}\})/g)];
  expect([first?.[1], second?.[1]]).toEqual([KEY, previous]);
  expect(second?.[2]).toBe(first?.[2]);
  expect(second?.[2]).toContain("circl.oms.order.>");
});

test("a revoked identity is no user, and nobody else is touched", () => {
  const all = renderAuth(model, documents());
  const revoked = renderAuth(model, documents({ oms: { current: "", previous: "" } }));
  expect(all.match(/nkey:/g)).toHaveLength(identities(model).length);
  expect(revoked.match(/nkey:/g)).toHaveLength(identities(model).length - 1);
  const [, users] = revoked.split("# oms, service");
  expect(users?.trimStart().startsWith("]")).toBe(true);
});

test("passwords stand as bcrypt hashes in quotes, under two user names while they change", () => {
  const oms = { currentUser: "oms-2", current: HASH, previousUser: "oms", previous: HASH };
  const text = renderAuth(passwords, documents({ oms }, passwords));
  expect(text).toContain(`user: "oms-2"\n        password: "${HASH}"`);
  expect(text).toContain(`user: "oms"\n        password: "${HASH}"`);
});

test.each([
  ["is missing", undefined, "oms: there is no document. Make it: circl identity create"],
  ["lacks a property", { current: KEY }, 'oms: the document lacks previous; "" stands for none'],
  ["holds a seed", { current: "SU123", previous: "" }, "oms is not the public NKey of a user"],
])("a document that %s is refused, together with every other, and never printed", (_, oms, says) => {
  const broken = { ...documents(), oms, geo: { current: "x", previous: "" } } as ReturnType<typeof documents>;
  expect(() => renderAuth(model, broken)).toThrow(says);
  expect(() => renderAuth(model, broken)).toThrow("geo is not the public NKey of a user");
  expect(() => renderAuth(model, broken)).not.toThrow("SU123");
});

test("a key that stands twice is refused with its owners: no server would start with it", () => {
  const twice = { current: KEY, previous: "" };
  expect(() => renderAuth(model, documents({ oms: twice, geo: twice }))).toThrow(
    "geo and oms: one key or user name stands in two places",
  );
  const same = { currentUser: "oms", current: HASH, previousUser: "oms", previous: HASH };
  expect(() => renderAuth(passwords, documents({ oms: same }, passwords))).toThrow(
    "oms: one key or user name stands in two places",
  );
});

test("an identity that nothing is declared for may publish nothing, instead of everything", () => {
  const idle = modelWith({ services: { oms: { description: "orders" }, idle: { description: "idle" } } });
  const [, text = ""] = authTemplate(idle).split("# idle, service");
  expect(text.slice(0, text.indexOf("{{- end }}"))).toMatch(/publish \{\s+deny: \[\s+">"\s+\]/);
});

test("braces in a subject stay braces", () => {
  const stream = {
    name: "odd",
    subjects: ["odd.{{.x}}.>"],
    publishers: [{ service: "oms", subject: "odd.{{.x}}.y", data: { sensitivity: "internal" } }],
  } as const;
  const odd = modelWith({ streams: [stream] });
  expect(authTemplate(odd)).toContain('"odd.{{ "{{" }}.x}}.y"');
  expect(renderAuth(odd, documents({}, odd))).toContain('"odd.{{.x}}.y"');
});

describe.skipIf(without("secret-template"))("External Secrets' renderer", () => {
  test.each(["staging", "production", "local"] as const)("gives the same bytes for %s", (name) => {
    const real = realModel(name);
    const { documents: made } = credentialsOf(real);
    expect(renderedAuth(real, made)).toBe(renderAuth(real, made));
  });

  test("gives the same bytes for passwords, during a rotation and for odd subjects", () => {
    const { documents: made } = credentialsOf(passwords);
    const rotating = {
      ...made,
      oms: { currentUser: "oms-2", current: HASH, previousUser: "oms", previous: HASH },
      geo: { current: KEY, previous: `U${"Z".repeat(55)}` },
      iot: { current: "", previous: "" },
    };
    expect(renderedAuth(passwords, rotating)).toBe(renderAuth(passwords, rotating));
  });

  test.each([
    ["a property is missing", { current: KEY }, /map has no entry for key "oms_previous"/],
    ["a key is there twice", { current: KEY, previous: KEY }, /one key or user name stands in two places/],
    ["a seed stands where a public key belongs", { current: "SUAB", previous: "" }, /oms is not the public NKey/],
  ])("fails where %s, so that the Secret stays as it was", (_, oms, says) => {
    expect(() => renderedAuth(model, documents({ oms } as never))).toThrow(says);
  });
});
