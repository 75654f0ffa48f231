import { expect, test } from "vitest";
import { carryOut, holders, prepare } from "../../../src/identity/keeper.ts";
import { survey } from "../../../src/identity/survey.ts";
import { renderAuth } from "../../../src/nats/auth-template.ts";
import { modelWith } from "../../support/definitions.ts";
import { memoryStore } from "../../support/memory-store.ts";

import { canLogIn, clientId, everybodyWith, model, run, serverId, standing } from "./credentials.ts";

test("a password moves to an NKey: both are valid until finish, and then the environment may say so without a write", async () => {
  const apart = modelWith({});
  const documents = (store: ReturnType<typeof memoryStore>) => ({
    server: JSON.parse(store.documents.get(serverId("oms")) ?? "{}"),
    client: JSON.parse(store.documents.get(clientId("oms")) ?? "{}"),
  });
  for (const cut of [0, 1, 2]) {
    const store = memoryStore();
    await run("create", "oms", store);
    const before = documents(store);
    if (cut < 2) await expect(run("move", "oms", memoryStore(store.documents, cut))).rejects.toThrow("cut off");
    expect(canLogIn("oms", JSON.stringify(before.client), JSON.stringify(documents(store).server))).toBe(true);
    await run("move", "oms", store);
    const both = documents(store);
    expect(both.server).toEqual({
      ...{ currentUser: "", current: expect.stringMatching(/^U/) },
      ...{ previousUser: "oms", previous: before.server.current },
    });
    expect(both.client).toEqual({ ...before.client, seed: expect.stringMatching(/^SU/) });
    expect(await standing("oms", store)).toBe("rotating");
    expect(await run("move", "oms", store)).toMatch(/^rotated already/);
    // Too early: whoever still uses the password would be out, so nothing is rendered.
    const early = () => renderAuth(apart, everybodyWith("oms", both.server));
    expect(early).toThrow("oms is not the public NKey of a user");

    await run("finish", "oms", store);
    const { server } = documents(store);
    expect(server).toEqual({ currentUser: "", current: both.server.current, previousUser: "", previous: "" });
    expect(await run("move", "oms", store)).toBe("moved already: take it out of nats.clients.passwords");
    expect(renderAuth(apart, everybodyWith("oms", server))).toBe(renderAuth(model, everybodyWith("oms", server)));
    const who = holders(apart).filter(({ name }) => name === "oms");
    expect(await survey(apart, who, store)).toMatchObject([{ standing: "steady", current: server.current }]);

    // With the environment's word or without, it goes on as an NKey.
    await run("rotate", "oms", store);
    expect(documents(store).client).toEqual({ user: "", password: "", seed: expect.stringMatching(/^SU/) });
    await run("finish", "oms", store);
    await carryOut(await prepare("rotate", apart, who, store), apart.environment, store, async () => {});
    expect(documents(store)).toMatchObject({ server: { previous: expect.stringMatching(/^U/) }, client: {} });
    expect(Object.keys(documents(store).client)).toEqual(["seed"]);
  }
});

test("nothing moves to an NKey that has one, that is in rotation, or that logs in nowhere", async () => {
  const store = memoryStore();
  for (const name of ["bff", "oms", "encryption-key", "tile38-password"]) await run("create", name, store);
  await run("rotate", "oms", store);
  await expect(run("move", "bff", store)).rejects.toThrow(
    "it has an NKey already; nats.clients.passwords does not name it",
  );
  await expect(run("move", "oms", store)).rejects.toThrow(
    "the rotation of its password is not finished. Finish it first.",
  );
  await expect(run("move", "encryption-key", store)).rejects.toThrow("nobody logs in with it");
  await expect(run("move", "tile38-password", store)).rejects.toThrow("one password at a time");
});

test("a revoke keeps to the kind that the client has: on the way to an NKey, after it, and where a half cannot be read", async () => {
  const store = memoryStore();
  const [server, client] = [serverId("oms"), clientId("oms")];
  const kind = () => {
    const { user, seed } = JSON.parse(store.documents.get(client) ?? "{}");
    return seed === "" ? user : user === "" ? "nkey" : "both";
  };
  const revoke = async () => {
    await run("revoke", "oms", store);
    expect(await standing("oms", store)).toBe("steady");
    return kind();
  };
  await run("create", "oms", store);
  expect(await revoke()).toBe("oms");
  // Its client was not told of the NKey.
  await expect(run("move", "oms", memoryStore(store.documents, 1))).rejects.toThrow("cut off");
  expect(await revoke()).toBe("oms");
  await run("move", "oms", store);
  expect(kind()).toBe("both");
  expect(await revoke()).toBe("nkey");
  expect(JSON.parse(store.documents.get(server) ?? "{}")).toMatchObject({ currentUser: "", previous: "" });
  await run("withdraw", "oms", store);
  expect(await revoke()).toBe("nkey");
  for (const half of [server, client]) {
    store.documents.set(half, "{}");
    expect(await revoke()).toBe("nkey");
  }
  // The way back to a password.
  for (const half of [server, client]) store.documents.delete(half);
  await run("create", "oms", store);
  expect(kind()).toBe("oms");
});

test("a password in rotation has two user names, and goes back to the first the next time", async () => {
  const store = memoryStore();
  const users = () => {
    const { currentUser, previousUser } = JSON.parse(store.documents.get(serverId("oms")) ?? "{}");
    return [currentUser, previousUser];
  };
  await run("create", "oms", store);
  expect(users()).toEqual(["oms", ""]);
  await run("rotate", "oms", store);
  expect(users()).toEqual(["oms-2", "oms"]);
  await run("finish", "oms", store);
  expect(users()).toEqual(["oms-2", ""]);
  await run("rotate", "oms", store);
  expect(users()).toEqual(["oms", "oms-2"]);
});

test("the encryption key keeps its predecessor until it is finished, and is never revoked", async () => {
  const store = memoryStore();
  const keys = () => JSON.parse(store.documents.get("production-nats-encryption-key") ?? "{}");
  await run("create", "encryption-key", store);
  const first = keys();
  expect(first).toEqual({ current: expect.stringMatching(/^[A-Za-z0-9]{43}$/), previous: "" });
  await run("rotate", "encryption-key", store);
  const second = keys();
  expect(second.previous).toBe(first.current);
  await run("rotate", "encryption-key", store);
  expect(keys()).toEqual(second);
  await run("finish", "encryption-key", store);
  expect(keys()).toEqual({ current: second.current, previous: "" });
  for (const action of ["revoke", "withdraw"] as const) {
    await expect(run(action, "encryption-key", store)).rejects.toThrow(/would take everything stored with it/);
  }
});

test("the password of Tile38 cannot be rotated, only replaced", async () => {
  const store = memoryStore();
  const password = () => JSON.parse(store.documents.get("production-tile38-password") ?? "{}").password;
  await run("create", "tile38-password", store);
  const first = password();
  for (const action of ["rotate", "withdraw"] as const) {
    await expect(run(action, "tile38-password", store)).rejects.toThrow(/one password at a time/);
  }
  await run("revoke", "tile38-password", store);
  expect(password()).toMatch(/^[A-Za-z0-9]{43}$/);
  expect(password()).not.toBe(first);
});

test("a broken password of Tile38 is replaced by a revoke, a broken encryption key by nothing", async () => {
  const store = memoryStore();
  const [password, key] = ["production-tile38-password", "production-nats-encryption-key"];
  for (const id of [password, key]) store.documents.set(id, '{"password":"with space","current":"short"}');
  for (const action of ["create", "rotate", "withdraw"] as const) {
    await expect(run(action, "tile38-password", store)).rejects.toThrow(`${password}: `);
  }
  for (const action of ["create", "rotate", "finish", "revoke", "withdraw"] as const) {
    await expect(run(action, "encryption-key", store)).rejects.toThrow(`${key}: `);
  }
  expect(store.written).toEqual([]);
  await run("revoke", "tile38-password", store);
  expect(await standing("tile38-password", store)).toBe("steady");
});
