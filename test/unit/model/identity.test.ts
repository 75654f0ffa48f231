import { expect, test } from "vitest";
import { identities, inboxPrefix } from "../../../src/model/identity.ts";
import { modelWith, realModel } from "../../support/definitions.ts";

test("services, tools and people are identities, sorted by name, each in an account of its own but those of CIRCL and SYS", () => {
  expect(identities(realModel("production")).map(({ name, kind, account }) => [name, kind, account])).toEqual([
    ["bff", "service", "bff"],
    ["dms", "service", "dms"],
    ["geo", "service", "geo"],
    ["iot", "service", "iot"],
    ["monitor", "tool", "monitor"],
    ["oms", "service", "oms"],
    ["operator-read", "person", "operator-read"],
    ["operator-streams", "person", "operator-streams"],
    ["operator-system", "person", "SYS"],
    ["stream-plan", "tool", "stream-plan"],
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
