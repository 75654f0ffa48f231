/** Staging keeps one replica: what that costs is what `circl show staging` says beforehand, and no more. */
import type { NatsConnection } from "nats";
import { describe, expect, test } from "vitest";
import { renderStreams } from "../../../src/cli/output/streams.ts";
import { lookOf } from "../../../src/cli/output/terminal.ts";
import { NATS, serverNamePrefix } from "../../../src/kubernetes/names.ts";
import { eventually } from "../../support/control-plane.ts";
import { realModel } from "../../support/definitions.ts";
import { request } from "../../support/jetstream.ts";
import { cannotBoot, useSite } from "./site.ts";
import { allReady, kill, loseVolume, remove } from "./strikes.ts";
import { type Fault, outlives } from "./traffic.ts";

const model = realModel("staging");

interface Info {
  readonly state: { readonly messages: number; readonly first_seq: number; readonly last_seq: number };
  readonly cluster: { readonly leader: string };
}

describe.skipIf(cannotBoot())("staging", () => {
  const site = useSite(model);
  const infoOf = async (connection: NatsConnection, stream: string): Promise<Info> =>
    (await request(connection, `STREAM.INFO.${stream}`)) as unknown as Info;
  const holderOf = async (stream: string): Promise<string> => {
    const connection = await site().connect("stream-plan");
    const { cluster } = await infoOf(connection, stream);
    await connection.close();
    return cluster.leader.slice(serverNamePrefix(model.environment).length);
  };

  const restarts: readonly Fault[] = [
    {
      name: "the server of a stream killed",
      blows: (here) => [async () => kill(here, await holderOf("circl_oms"), NATS.name)],
    },
    {
      name: "the server of a stream stopped",
      blows: (here) => [
        async () => {
          await remove(here, await holderOf("circl_oms"));
          await allReady(here, NATS.name);
        },
      ],
    },
  ];

  test.each(restarts)("loses nothing, but time: $name", { timeout: 1_800_000 }, (fault) => outlives(site(), fault));

  test("loses with a volume all streams that lie there and keeps the others, as it is said beforehand", {
    timeout: 900_000,
  }, async () => {
    const names = model.streams.map(({ name }) => name).filter((name) => /^circl_(iot|oms)/.test(name));
    const said = renderStreams(model, lookOf(process.stdout)).split(/\n\n(?=\S)/);
    for (const name of names) {
      expect(said.find((stream) => stream.startsWith(`${name} `))).toContain(
        "1 replica: its server's volume is all there is of it, and without that server there is no stream",
      );
    }
    const before = await site().connect("stream-plan");
    const victim = await holderOf("circl_oms");
    const states = await Promise.all(names.map(async (name) => ({ name, ...(await infoOf(before, name)) })));
    await before.close();
    expect(states.find(({ name }) => name === "circl_oms")?.state.messages).toBeGreaterThan(0);

    await loseVolume(site(), victim, NATS.dataClaim);
    await allReady(site(), NATS.name);
    const after = await site().connect("stream-plan", victim === "nats-0" ? "nats-1" : "nats-0");
    for (const { name, state, cluster } of states) {
      // A stream that was lost has a leader only once it is made anew.
      const now = await eventually(
        async () => (await infoOf(after, name).catch(() => undefined))?.state,
        (answer) => answer !== undefined,
        `${name} to have a leader`,
      );
      const wasThere = cluster.leader.endsWith(victim);
      console.log(
        `${victim} without its volume · ${name} ${wasThere ? "was there" : "was elsewhere"}: ${state.messages} messages before, ${now?.messages} after`,
      );
      // The copy of another stream begins anew where that one does.
      if (wasThere) expect(now?.last_seq).toBeLessThan(state.last_seq);
      else expect(now).toMatchObject({ messages: state.messages, last_seq: state.last_seq });
    }
    await after.close();
  });
});
