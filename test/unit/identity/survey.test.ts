import { expect, test } from "vitest";
import { carryOut, holders, prepare } from "../../../src/identity/keeper.ts";
import type { Action } from "../../../src/identity/rotation.ts";
import { survey } from "../../../src/identity/survey.ts";
import { modelWith } from "../../support/definitions.ts";
import { memoryStore } from "../../support/memory-store.ts";

const model = modelWith({ environment: { nats: { encryption: "aes", clients: { passwords: ["oms"] } } } });
const everybody = holders(model);

/** A store with everything in every state that servers' halves alone tell. */
async function mixed() {
  const store = memoryStore();
  const run = async (action: Action, ...names: string[]) => {
    const who = everybody.filter(({ name }) => names.length === 0 || names.includes(name));
    await carryOut(await prepare(action, model, who, store), model.environment, store, async () => {});
  };
  await run("create");
  await run("rotate", "oms", "iot", "encryption-key");
  await run("withdraw", "geo");
  store.documents.delete("production-nats-client-bff");
  store.documents.delete("production-nats-identity-dms");
  for (const half of ["client", "identity"]) store.documents.delete(`production-nats-${half}-monitor`);
  store.documents.set("production-nats-identity-stream-plan", "{}");
  return store;
}

test("what is public says how credentials stand, and nothing else is fetched for it", async () => {
  const store = await mixed();
  const fetched: string[] = [];
  const watched = {
    ...store,
    read: async (id: string) => {
      fetched.push(id);
      return store.read(id);
    },
  };
  const standings = Object.fromEntries(
    (await survey(model, everybody, watched, "public")).map(({ holder, standing }) => [holder.name, standing]),
  );
  expect(standings).toMatchObject({
    ...{ oms: "rotating", iot: "rotating", geo: "revoked", bff: "lost", dms: "unregistered", monitor: "missing" },
    ...{ "stream-plan": "broken", "stream-sync": "steady", "encryption-key": "steady", "tile38-password": "steady" },
  });
  expect(fetched.length).toBeGreaterThan(5);
  expect(fetched.filter((id) => !id.startsWith("production-nats-identity-"))).toEqual([]);
  const whole = await survey(model, everybody, store);
  expect(Object.fromEntries(whole.map(({ holder, standing }) => [holder.name, standing]))).toEqual({
    ...standings,
    "encryption-key": "rotating",
  });
});

test("a secret of the servers that is missing is seen without reading it", async () => {
  const who = everybody.filter(({ kind }) => kind === "server");
  expect(who).toHaveLength(2);
  for (const reads of ["public", "everything"] as const) {
    const statuses = await survey(model, who, memoryStore(), reads);
    expect(statuses.map(({ standing }) => standing)).toEqual(["missing", "missing"]);
  }
});
