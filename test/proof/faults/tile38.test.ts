/** Tile38 while positions are written: what is lost is what its volume held, no more, and metrics show it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { PORTS, TILE38 } from "../../../src/kubernetes/names.ts";
import { eventually } from "../../support/control-plane.ts";
import { realModel } from "../../support/definitions.ts";
import { cannotBoot } from "../../support/environment.ts";
import { COLLECTION, fill, type Login, openTo, positionsOn, startWriter, type Writer } from "./positions.ts";
import { useSite } from "./site.ts";
import { allReady, isReady, kill, loseVolume, nodeOf, remove, runOf } from "./strikes.ts";

const LEADER = `${TILE38.leader}-0`;
const AWAY = 20_000;
/** Points that a shrink writes for longer than it takes to kill the server. */
const BALLAST = 150_000;
/** What prepare.sh says of a shrink that did not come to its end. */
const CUT_OFF = /AOFSHRINK was cut off/g;

const lost = (answered: ReadonlySet<string>, there: ReadonlySet<string>): readonly string[] =>
  [...answered].filter((id) => !there.has(id));

describe.skipIf(cannotBoot()).each(["production", "staging"] as const)("Tile38 of %s", (name) => {
  const model = realModel(name);
  const followers = Array.from(
    { length: model.environment.tile38.followers.count },
    (_, i) => `${TILE38.followers}-${i}`,
  );
  const [first = "", ...others] = followers;
  const site = useSite(model);
  let login: Login = { port: PORTS.tile38, password: "" };
  beforeAll(() => {
    login = { port: PORTS.tile38, password: site().tile38Password };
  });
  const addressOf = (pod: string) => runOf(site(), pod)?.address ?? "";
  const have = async (pod: string) => positionsOn(addressOf(pod), login).catch(() => undefined);
  const write = async (): Promise<Writer> => {
    const writer = startWriter(() => addressOf(LEADER), login);
    await writer.more(1_000);
    return writer;
  };
  /** Ends the writer and expects its positions on the leader and, once they have followed, on every follower. */
  const expectEverywhere = async (writer: Writer, fault: string) => {
    const answered = await writer.stop();
    for (const pod of [LEADER, ...followers]) {
      const there = await eventually(
        () => have(pod),
        (ids) => ids !== undefined && lost(answered, ids).length === 0,
        `every position on ${pod}`,
        // Whose leader shrank its file fetches all of it again.
        10,
      );
      expect(lost(answered, there ?? new Set())).toEqual([]);
    }
    console.log(
      `${fault}: ${answered.size} positions, none lost; no answer for ${(writer.longest() / 1_000).toFixed(1)} s`,
    );
  };
  /** A sample of a server's metrics, 0 where it has none. */
  const metric = async (pod: string, series: string): Promise<number> => {
    const signal = AbortSignal.timeout(10_000);
    const page = await fetch(`http://${addressOf(pod)}:${PORTS.tile38Metrics}/metrics`, { signal });
    const text = await page.text();
    const line = text.split("\n").find((sample) => sample.startsWith(series));
    return Number(line?.split(" ").at(-1) ?? 0);
  };
  const caughtUp = async (pod: string): Promise<boolean> =>
    (await metric(pod, 'tile38_replication_info{caught_up="true"')) === 1;
  /** How often a pod's containers have said something, in all their runs. */
  const said = (pod: string, words: RegExp): number =>
    readdirSync(site().nodes.logs, { recursive: true, encoding: "utf8" })
      .filter((file) => file.includes(`_${pod}_`) && file.endsWith(".log"))
      .reduce((sum, file) => sum + (readFileSync(join(site().nodes.logs, file), "utf8").match(words)?.length ?? 0), 0);
  const objects = (pod: string) => metric(pod, `tile38_collection_objects{col="${COLLECTION}"}`);

  test("the leader is killed and comes back with every position that was answered", async () => {
    const writer = await write();
    const started = await metric(LEADER, "tile38_start_time_seconds");
    expect(started).toBeGreaterThan(0);
    await kill(site(), LEADER, "tile38");
    await writer.more(1_000);
    await expectEverywhere(writer, "leader killed");
    expect(await metric(LEADER, "tile38_start_time_seconds")).toBeGreaterThan(started);
  });

  test("a follower is lost, and the one in its place has everything", async () => {
    const writer = await write();
    await remove(site(), first);
    await writer.more(1_000);
    await allReady(site(), TILE38.followers);
    await expectEverywhere(writer, "follower lost");
    const there = await objects(LEADER);
    expect(await Promise.all(followers.map(objects))).toEqual(followers.map(() => there));
    expect(await caughtUp(first)).toBe(true);
  });

  test("without their leader followers keep what they have and do not know, metrics miss the leader, and they follow again", async () => {
    const writer = await write();
    const node = nodeOf(site(), LEADER);
    const elsewhere = followers.filter((pod) => nodeOf(site(), pod) !== node);
    expect(elsewhere.length).toBeGreaterThan(0);
    const before = writer.answered();
    for (const pod of elsewhere) {
      await eventually(
        () => have(pod),
        (ids) => ids !== undefined && lost(before, ids).length === 0,
        `${pod} to have what was answered so far`,
      );
    }
    await site().nodes.cut(node, false);
    try {
      await sleep(AWAY);
      for (const pod of elsewhere) {
        expect(lost(before, (await have(pod)) ?? new Set())).toEqual([]);
        // Nothing tells a follower that its leader is out of reach; that no leader can be scraped does.
        expect(await caughtUp(pod)).toBe(true);
      }
      await expect(metric(LEADER, "tile38_start_time_seconds")).rejects.toThrow();
    } finally {
      await site().nodes.cut(node, true);
    }
    await writer.more(1_000);
    await expectEverywhere(writer, "leader cut off for 20 s");
  });

  test("nobody gets in with another password, and followers with another one are not ready", async () => {
    await expect(openTo(addressOf(LEADER), { ...login, password: "wrong" })).rejects.toThrow("invalid password");
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: TILE38.followersSecret } };
    const before = JSON.parse(
      await site().kubectl(["get", "secret", TILE38.followersSecret, "--namespace=circl-backbone", "--output=json"]),
    );
    const config = JSON.parse(Buffer.from(before.data.config, "base64").toString());
    const wrong = Buffer.from(JSON.stringify({ ...config, leaderauth: "wrong" })).toString("base64");
    const replace = (text: string) =>
      site().kubectl(
        ["apply", "--server-side", "--force-conflicts", "--namespace=circl-backbone", "--filename=-"],
        JSON.stringify({ ...secret, data: { config: text } }),
      );
    try {
      await replace(wrong);
      await remove(site(), first);
      // It runs and serves nobody; the others go on.
      await eventually(
        async () => runOf(site(), first)?.containers[0]?.started,
        (started) => started === true,
        `${first} to be started`,
      );
      await sleep(AWAY);
      expect(isReady(site(), first)).toBe(false);
      expect([...others, LEADER].filter((pod) => !isReady(site(), pod))).toEqual([]);
      expect(await caughtUp(first)).toBe(false);
      expect(await objects(first)).toBe(0);
    } finally {
      await replace(before.data.config);
      await remove(site(), first);
      await allReady(site(), TILE38.followers);
    }
  });

  test("a shrink under load loses nothing, and neither does a kill in the middle of one", async () => {
    const writer = await write();
    const shrink = async () => {
      await using client = await openTo(addressOf(LEADER), login);
      expect(await client.call("AOFSHRINK")).toBe("OK");
    };
    await fill(addressOf(LEADER), login, BALLAST);
    const before = await metric(LEADER, "tile38_aof_size_bytes");
    const cutOff = said(LEADER, CUT_OFF);
    await shrink();
    await writer.more(1_000);
    for (let round = 0; round < 3; round++) {
      await shrink();
      await kill(site(), LEADER, "tile38");
      await writer.more(500);
    }
    const interrupted = said(LEADER, CUT_OFF) - cutOff;
    await expectEverywhere(
      writer,
      `shrunk under load, and killed in three shrinks, ${interrupted} of which were cut off`,
    );
    expect(interrupted).toBeGreaterThan(0);
    console.log(`the leader's file: ${before} bytes before, ${await metric(LEADER, "tile38_aof_size_bytes")} after`);
  });

  test("a leader without its volume begins anew, and metrics show that followers have what it lacks", async () => {
    const writer = await write();
    const before = await writer.stop();
    const old = (await have(LEADER))?.size ?? 0;
    await loseVolume(site(), LEADER, TILE38.dataClaim);
    await allReady(site(), TILE38.leader);
    const after = startWriter(() => addressOf(LEADER), login);
    await after.more(100);
    const answered = await after.stop();
    const there = (await have(LEADER)) ?? new Set();
    expect(lost(answered, there)).toEqual([]);
    expect(there.size).toBe(answered.size);
    // What Tile38FollowerDiverged compares.
    const ghosts = (await Promise.all(followers.map(objects))).map((count) => count - there.size);
    console.log(
      `leader without its volume: ${old} positions gone, followers have ${ghosts.join(" and ")} more than it`,
    );
    expect(old).toBeGreaterThanOrEqual(before.size);
    expect(await objects(LEADER)).toBe(answered.size);
    expect(Math.max(...ghosts)).toBeGreaterThan(100);
    // The way out that the alert and its runbook name.
    for (const pod of followers) {
      await remove(site(), pod);
      await allReady(site(), TILE38.followers);
    }
    expect(await Promise.all(followers.map(objects))).toEqual(followers.map(() => answered.size));
  });
});
