import { expect, test } from "vitest";
import { identities, inboxPrefix } from "../../../src/model/identity.ts";
import { modelWith, realModel } from "../../support/definitions.ts";

test("services, tools and people are identities, sorted by name, each in one account", () => {
  expect(identities(realModel("production")).map(({ name, kind, account }) => [name, kind, account])).toEqual([
    ["bff", "service", "CIRCL"],
    ["dms", "service", "CIRCL"],
    ["geo", "service", "CIRCL"],
    ["iot", "service", "CIRCL"],
    ["monitor", "tool", "CIRCL"],
    ["oms", "service", "CIRCL"],
    ["operator-read", "person", "CIRCL"],
    ["operator-streams", "person", "CIRCL"],
    ["operator-system", "person", "SYS"],
    ["stream-plan", "tool", "CIRCL"],
    ["stream-sync", "tool", "CIRCL"],
  ]);
});

test("a person has a name and one role", () => {
  const model = modelWith({ environment: { nats: { people: { anna: "operator-system" } } } });
  expect(identities(model).find(({ name }) => name === "anna")).toMatchObject({
    kind: "person",
    account: "SYS",
    role: "operator-system",
  });
});

test("a password is what an environment names, an NKey is what everybody else has", () => {
  const model = modelWith({ environment: { nats: { clients: { passwords: ["oms"] } } } });
  const byPassword = identities(model).filter(({ credential }) => credential === "password");
  expect(byPassword.map(({ name }) => name)).toEqual(["oms"]);
});

test("inboxes are private or one for all, as the environment says", () => {
  expect(inboxPrefix({ name: "oms" }, modelWith({}))).toBe("_INBOX_oms");
  expect(inboxPrefix({ name: "oms" }, modelWith({ environment: { nats: { clients: { inboxes: "shared" } } } }))).toBe(
    "_INBOX",
  );
});
