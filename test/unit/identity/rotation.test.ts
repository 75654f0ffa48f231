import { describe, expect, test } from "vitest";
import { schemes } from "../../../src/identity/credential.ts";
import { parseDocument } from "../../../src/identity/documents.ts";
import { carryOut, holders, Impossible, prepare } from "../../../src/identity/keeper.ts";
import type { Action } from "../../../src/identity/rotation.ts";
import type { SecretStore } from "../../../src/identity/store.ts";
import { survey } from "../../../src/identity/survey.ts";
import { identities } from "../../../src/model/identity.ts";
import { renderAuth } from "../../../src/nats/auth-template.ts";
import { modelWith } from "../../support/definitions.ts";
import { memoryStore } from "../../support/memory-store.ts";

const model = modelWith({ environment: { nats: { clients: { passwords: ["oms"] } } } });
const { environment } = model;
const serverId = (name: string) => `production-nats-identity-${name}`;
const clientId = (name: string) => `production-nats-client-${name}`;
const holderOf = (name: string) => {
  const holder = holders(model).find((one) => one.name === name);
  if (!holder) throw new Error(`no ${name}`);
  return holder;
};

/** auth.conf's documents, that of `name` as it is and a made-up one for everybody else. */
const everybodyWith = (name: string, document: Record<string, string>) =>
  Object.fromEntries(
    identities(model).map((identity, i) => {
      const key = `U${String.fromCharCode(65 + i).repeat(55)}`;
      const hash = { currentUser: identity.name, current: `$2a$11$${"x".repeat(53)}`, previousUser: "", previous: "" };
      const made = identity.credential === "nkey" ? { current: key, previous: "" } : hash;
      return [identity.name, identity.name === name ? document : made];
    }),
  );

async function run(action: Action, name: string, store: SecretStore): Promise<string | undefined> {
  const prepared = await prepare(action, model, [holderOf(name)], store);
  await carryOut(prepared, environment, store, async () => {});
  return prepared[0]?.says;
}

const standing = async (name: string, store: SecretStore) =>
  (await survey(model, [holderOf(name)], store))[0]?.standing;

/** Whether what the client has opens one of the entries that servers know. */
function canLogIn(name: string, client: string | undefined, server: string | undefined): boolean {
  const { credential } = holderOf(name);
  if (credential !== "nkey" && credential !== "password") throw new Error(`${name} does not log in`);
  const scheme = schemes[credential];
  if (!client || !server) return false;
  const half = parseDocument(scheme.clientType, "client", client);
  const known = parseDocument(scheme.type, "server", server);
  return [scheme.current(known), scheme.previous(known)].some((entry) => entry && scheme.opens(half, entry));
}

// bff has an NKey, oms a password.
describe.each(["bff", "oms"])("the credential of %s", (name) => {
  const [server, client] = [serverId(name), clientId(name)];

  test("is made once, rotated in two steps with both valid between them, and revoked at once", async () => {
    const store = memoryStore();
    const login = () => canLogIn(name, store.documents.get(client), store.documents.get(server));
    expect(await run("create", name, store)).toBe("created");
    expect(store.written).toEqual([client, server]);
    const first = store.documents.get(client);
    expect(await run("create", name, store)).toBe("there already");
    expect([await standing(name, store), login()]).toEqual(["steady", true]);

    await run("rotate", name, store);
    expect(store.written.slice(2)).toEqual([server, client]);
    const second = store.documents.get(client);
    expect([await standing(name, store), login()]).toEqual(["rotating", true]);
    expect(canLogIn(name, first, store.documents.get(server))).toBe(true);
    expect(await run("rotate", name, store)).toMatch(/^rotated already/);
    expect(store.documents.get(client)).toBe(second);

    await run("finish", name, store);
    expect([await standing(name, store), login()]).toEqual(["steady", true]);
    expect(canLogIn(name, first, store.documents.get(server))).toBe(false);
    expect(await run("finish", name, store)).toBe("nothing to finish");

    await run("revoke", name, store);
    expect([await standing(name, store), login()]).toEqual(["steady", true]);
    expect(canLogIn(name, second, store.documents.get(server))).toBe(false);
  });

  test("waits for the servers before it hands out what they must know", async () => {
    const store = memoryStore();
    await run("create", name, store);
    const before = store.documents.get(client);
    const prepared = await prepare("rotate", model, [holderOf(name)], store);
    let handedOut: string | undefined;
    await carryOut(prepared, environment, store, async () => {
      handedOut = store.documents.get(client);
    });
    expect(handedOut).toBe(before);
    expect(store.documents.get(client)).not.toBe(before);
  });

  // Each command is cut off after 0, 1 ... writes, from each state in which it is run, and then run again.
  test.each([
    { action: "create", prepared: [], writes: 2 },
    { action: "rotate", prepared: ["create"], writes: 2 },
    { action: "finish", prepared: ["create", "rotate"], writes: 1 },
    { action: "rotate", prepared: ["create", "rotate", "finish"], writes: 2 },
  ] as const)("$action after $prepared can be cut off anywhere and run again", async ({ action, prepared, writes }) => {
    for (let cut = 0; cut < writes; cut++) {
      const whole = memoryStore();
      for (const earlier of prepared) await run(earlier, name, whole);
      const held = whole.documents.get(client);
      await expect(run(action, name, memoryStore(whole.documents, cut))).rejects.toThrow("cut off");
      if (held) {
        expect(canLogIn(name, held, whole.documents.get(server))).toBe(true);
        expect(canLogIn(name, whole.documents.get(client), whole.documents.get(server))).toBe(true);
      }
      await run(action, name, whole);
      expect(await standing(name, whole)).toBe(action === "rotate" ? "rotating" : "steady");
      if (held && action === "rotate") expect(canLogIn(name, held, whole.documents.get(server))).toBe(true);
      await run("finish", name, whole);
      expect(await standing(name, whole)).toBe("steady");
    }
  });

  test("a revoke that is cut off has shut the door, says so, and is completed by the next", async () => {
    const store = memoryStore();
    await run("create", name, store);
    const leaked = store.documents.get(client);
    await expect(run("revoke", name, memoryStore(store.documents, 1))).rejects.toThrow("cut off");
    expect(canLogIn(name, leaked, store.documents.get(server))).toBe(false);
    expect(await standing(name, store)).toBe("torn");
    for (const action of ["create", "rotate", "finish"] as const) {
      await expect(run(action, name, store)).rejects.toThrow(/no server knows .* `revoke` replaces both halves/);
    }
    await run("revoke", name, store);
    expect(await standing(name, store)).toBe("steady");
  });

  test("a client's half that was deleted is replaced without cutting off who still has it", async () => {
    const store = memoryStore();
    await run("create", name, store);
    const held = store.documents.get(client);
    store.documents.delete(client);
    expect(await standing(name, store)).toBe("lost");
    await expect(run("create", name, store)).rejects.toThrow(/its client's half is gone/);
    await run("rotate", name, store);
    expect(canLogIn(name, held, store.documents.get(server))).toBe(true);
    expect(await standing(name, store)).toBe("rotating");
    store.documents.delete(client);
    await expect(run("rotate", name, store)).rejects.toThrow(/nobody knows which is used/);
  });

  test("a broken document stops everything but a revoke, and its content is not said", async () => {
    const store = memoryStore();
    await run("create", name, store);
    store.documents.set(client, '{"seed":"SUSECRET","user":"hunter2","password":"p w"}');
    const error = await run("rotate", name, store).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Impossible);
    expect(String(error)).toContain(client);
    expect(String(error)).not.toMatch(/SUSECRET|hunter2|p w/);
    expect(await standing(name, store)).toBe("broken");
    await run("revoke", name, store);
    expect(await standing(name, store)).toBe("steady");
  });

  test("can be taken away without a new one: it stands as revoked until the next revoke, and nothing gives it back by accident", async () => {
    const store = memoryStore();
    await run("create", name, store);
    const held = store.documents.get(client);
    expect(await run("withdraw", name, store)).toBe("revoked: every credential ends");
    expect(Object.values(JSON.parse(store.documents.get(server) ?? "{}")).every((value) => value === "")).toBe(true);
    expect([await standing(name, store), canLogIn(name, held, store.documents.get(server))]).toEqual([
      "revoked",
      false,
    ]);
    expect(await run("withdraw", name, store)).toBe("revoked already");
    for (const action of ["create", "rotate"] as const) {
      await expect(run(action, name, store)).rejects.toThrow(/is revoked, nobody logs in as it\. `revoke` without/);
    }
    await expect(run("finish", name, store)).rejects.toThrow("there is no rotation to finish (revoked)");
    expect(renderAuth(model, everybodyWith(name, JSON.parse(store.documents.get(server) ?? "{}")))).not.toMatch(
      new RegExp(`# ${name}, service\\s+\\{`),
    );
    await run("revoke", name, store);
    expect(await standing(name, store)).toBe("steady");
    store.documents.set(server, "not JSON");
    await run("withdraw", name, store);
    expect(await standing(name, store)).toBe("revoked");
  });

  test.each(["rotate", "finish", "revoke", "withdraw"] as const)(
    "%s says that there is nothing yet",
    async (action) => {
      await expect(run(action, name, memoryStore())).rejects.toThrow(/there is n/);
    },
  );
});

test("a user name without its hash is broken, and the other way round", async () => {
  const store = memoryStore();
  await run("create", "oms", store);
  const document = JSON.parse(store.documents.get(serverId("oms")) ?? "{}");
  store.documents.set(serverId("oms"), JSON.stringify({ ...document, current: "" }));
  const [status] = await survey(model, [holderOf("oms")], store);
  expect(status).toMatchObject({
    standing: "broken",
    problem: expect.stringContaining('"current" and "currentUser" go together'),
  });
});

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

test("everything that stands in the way is said at once, and then nothing is written", async () => {
  const store = memoryStore();
  await run("create", "bff", store);
  await run("create", "oms", store);
  store.documents.delete(clientId("bff"));
  store.documents.set(serverId("oms"), "{}");
  const before = new Map(store.documents);
  const who = holders(model).filter(({ credential }) => credential === "nkey" || credential === "password");
  const error = String(await prepare("create", model, who, store).catch((thrown: unknown) => thrown));
  expect(error).toMatch(/nothing was written:\n- bff: .*\n- production-nats-identity-oms: "currentUser" is missing, /);
  expect(store.documents).toEqual(before);
});
