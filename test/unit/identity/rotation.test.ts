import { describe, expect, test } from "vitest";
import { carryOut, holders, Impossible, prepare } from "../../../src/identity/keeper.ts";
import { survey } from "../../../src/identity/survey.ts";
import { renderAuth } from "../../../src/nats/auth-template.ts";
import { memoryStore } from "../../support/memory-store.ts";

import {
  canLogIn,
  clientId,
  environment,
  everybodyWith,
  holderOf,
  model,
  run,
  serverId,
  standing,
} from "./credentials.ts";

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

  test("hands out nothing where somebody else revoked while it waited for the servers", async () => {
    const store = memoryStore();
    for (const one of [name, "iot"]) await run("create", one, store);
    const others = store.documents.get(clientId("iot"));
    const prepared = await prepare("rotate", model, [holderOf(name), holderOf("iot")], store);
    const waiting = carryOut(prepared, environment, store, async () => {
      await run("revoke", name, store);
    });
    await expect(waiting).rejects.toThrow(`somebody else changed ${server} meanwhile: nothing was handed out`);
    expect([await standing(name, store), await standing("iot", store)]).toEqual(["steady", "unshared"]);
    expect(store.documents.get(clientId("iot"))).toBe(others);
    await run("rotate", "iot", store);
    expect(await standing("iot", store)).toBe("rotating");
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

test.each([
  ["seed", clientId("bff"), "seed"],
  ["public key", serverId("bff"), "current"],
] as const)(
  "a %s with one wrong character is broken: the others are listed, and a revoke replaces it",
  async (_, id, key) => {
    const store = memoryStore();
    for (const name of ["bff", "iot"]) await run("create", name, store);
    const whole: string = JSON.parse(store.documents.get(id) ?? "{}")[key];
    const wrong = `${whole.slice(0, 20)}${whole[20] === "A" ? "B" : "A"}${whole.slice(21)}`;
    store.documents.set(id, JSON.stringify({ ...JSON.parse(store.documents.get(id) ?? "{}"), [key]: wrong }));
    expect(await survey(model, [holderOf("bff"), holderOf("iot")], store)).toMatchObject([
      { standing: "broken", problem: expect.stringContaining(`${id}: "${key}" is not of the form it must have.`) },
      { standing: "steady" },
    ]);
    await expect(run("rotate", "bff", store)).rejects.toThrow(Impossible);
    await run("revoke", "bff", store);
    expect(await standing("bff", store)).toBe("steady");
  },
);

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
