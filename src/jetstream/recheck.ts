/**
 * Looks again right before a write: between the yes and the write lie the wait for the lock and all changes before this one.
 * The configuration must be the one that was planned, and what the change takes no more than was approved.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { ConsumerInfo, Reader, StreamInfo } from "./api.ts";
import { beyondApproval, takenBy } from "./approved-loss.ts";
import type { LiveAsset } from "./diff.ts";
import { ELECTION } from "./gone.ts";
import { normaliseConsumer } from "./normalise.ts";
import { type Observed, observe, observeConsumers } from "./observe.ts";
import { type Applied, reconfigures } from "./order.ts";
import { type Basis, effectsNow, type PlannedChange, versionOf } from "./plan.ts";
import { refusals } from "./refusals.ts";
import { normalised } from "./settle.ts";

type Changed = Exclude<Applied, { action: "create" }>;

/**
 * @param planned a change as it was approved, with its effects @param basis what it was planned from
 * @throws Error where the asset is another one than was planned, where the change takes more than was approved, where we
 * refuse it by what is there now, or where a delete would be blind
 */
export async function assertAsPlanned(
  change: Changed,
  { effects }: Pick<PlannedChange, "effects">,
  basis: Basis,
  reader: Reader,
): Promise<void> {
  if (change.action === "delete") await assertAllSeen(change, basis, reader);
  const stream = await reader.read<StreamInfo>("STREAM.INFO", [change.stream]);
  const live: LiveAsset =
    change.live.kind === "stream"
      ? { kind: "stream", info: stream }
      : {
          kind: "consumer",
          info: await reader.read<ConsumerInfo>("CONSUMER.INFO", [change.stream, change.live.info.name]),
        };
  if (hasMoved(change.live, live, reader)) {
    throw new Error(`${change.name} has changed since it was planned. Plan again and look at what is different now.`);
  }
  const now = { ...change, live } as Changed;
  // Of two copies at once the plan knows nothing: somebody may have begun another since.
  const others = reconfigures(change) ? (await observe(reader, [])).streams : basis.observed.streams;
  const seen = withLive({ ...basis.observed, streams: others }, stream);
  const around = {
    ...basis,
    observed: changesRetention(change) ? await withConsumers(seen, change.stream, reader) : seen,
  };
  assertStillAllowed(now, around);
  const takes = takenBy({ change: now, effects: await effectsNow(now, around, reader, Date.now() * 1e6) });
  const beyond = beyondApproval(
    { ...takenBy({ change, effects }), lastSequence: lastSequenceOf(change.stream, basis.observed) },
    { ...takes, lastSequence: stream.state.last_seq },
  );
  if (beyond) throw new Error(`${change.name}: ${beyond}. Plan again and look at what it takes now.`);
}

const changesRetention = (change: Changed): boolean =>
  change.action === "update" && change.fields.some(({ field }) => field === "retention");

/** What another retention takes depends on the consumers: those of now. */
const withConsumers = async (observed: Observed, stream: string, reader: Reader): Promise<Observed> => ({
  ...observed,
  consumers: new Map([...observed.consumers, [stream, await observeConsumers(stream, reader)]]),
});

/** What the server would not refuse, and we do: nobody else stops it. A replica may have gone away since the plan. */
function assertStillAllowed(now: Changed, { observed }: Basis): void {
  const ours = refusals(now, versionOf(observed), { observed, changes: [now] }).find(({ errCode }) => errCode === 0);
  if (ours) throw new Error(`${now.name}: ${ours.says}. ${ours.hint}`);
}

/** What the plan asks of a delete (blindDelete in plan.ts): a server may have gone away since. */
async function assertAllSeen({ name, stream }: Changed, { model }: Basis, reader: Reader): Promise<void> {
  const named = [...model.streams.map((declared) => declared.name), stream];
  for (const end = Date.now() + ELECTION; ; await sleep(500)) {
    const unknown = unknownIn(await observe(reader, named));
    if (unknown.length === 0) return;
    if (Date.now() < end) continue;
    const says = `nothing is deleted while ${unknown.join(", ")} cannot be asked`;
    throw new Error(`${name}: ${says}. Wait until all servers are back, then plan again.`);
  }
}

const unknownIn = ({ streams, consumers }: Observed): string[] => [
  ...streams.filter(({ status }) => status === "unknown").map(({ name }) => name),
  ...[...consumers].flatMap(([stream, there]) => there.unknown.map(({ name }) => `${stream}/${name}`)),
];

/** Of the stream, also where a consumer changes: what was published since is what it may take more. */
function lastSequenceOf(name: string, { streams }: Observed): number {
  const found = streams.find((stream) => stream.name === name);
  return found?.status === "known" ? found.info.state.last_seq : 0;
}

function hasMoved(then: LiveAsset, now: LiveAsset, reader: Reader): boolean {
  const comparable = ({ kind, info }: LiveAsset) =>
    kind === "stream" ? normalised(info.config, reader) : normaliseConsumer(info.config, info.config);
  return !isDeepStrictEqual(comparable(then), comparable(now));
}

const withLive = (observed: Observed, info: StreamInfo): Observed => ({
  ...observed,
  streams: observed.streams.map((stream) =>
    stream.name === info.config.name ? { name: stream.name, status: "known", info } : stream,
  ),
});
