/** What a stream does to its clients when it captures or copies something else than before. */
import { canMatch, heldSubjects } from "../model/capture.ts";
import type { Model } from "../model/resolve.ts";
import { collide, covers } from "../model/subject.ts";
import { type Amount, formatAmount } from "../units.ts";
import type { OriginInfo, StreamState } from "./api.ts";
import { consumersOf, filtersIn, publishersOf } from "./clients.ts";
import type { Change, FieldChange } from "./diff.ts";
import { amountBetween, amountOf, breaks, type Effect, loses, says, unlimited } from "./effect.ts";
import type { Row } from "./effects.ts";
import type { Measured } from "./measure.ts";
import type { Observed } from "./observe.ts";
import { freshSources, type Origin } from "./origins.ts";

type Update = Extract<Change, { action: "update" }>;

/** Fields that decide what lies in a stream, and under which subject. */
const CONTENT = ["subjects", "sources", "mirror", "subject_transform"];

export function subjectEffects(change: Update, observed: Observed, model: Model, measured: Measured): Effect[] {
  if (change.live.kind !== "stream" || !change.fields.some(({ field }) => CONTENT.includes(field))) return [];
  return [...lostSubjects(change, model, measured), ...starvedConsumers(change, observed, model)];
}

/** Subjects that the stream gives up: what is stored stays, new messages on them are refused. */
function lostSubjects(change: Update, model: Model, { perSubject = {} }: Measured): Effect[] {
  const subjects = change.fields.find(({ field }) => field === "subjects");
  if (!subjects || change.live.kind !== "stream") return [];
  const { state } = change.live.info;
  const [before, after] = sides<string>(subjects);
  return before
    .filter((subject) => !after.includes(subject))
    .flatMap((subject) => {
      const taker = model.streams.find((other) => other.name !== change.name && canMatch(subject, other.subjects));
      const clients = publishersOf(
        model,
        (publisher) => collide(publisher.subject, subject) && !after.some((kept) => covers(kept, publisher.subject)),
      );
      // While subjects move, somebody must publish there for anybody to notice.
      if (taker) {
        return clients.length > 0
          ? breaks(`publishes to "${subject}" are refused until ${taker.name} captures it`, clients)
          : [];
      }
      const stored = Object.entries(perSubject).filter(
        ([one]) => covers(subject, one) && !after.some((kept) => covers(kept, one)),
      );
      const orphans = amountOf(
        stored.reduce((sum, [, count]) => sum + count, 0),
        state,
      );
      return [
        ...breaks(`publishes to "${subject}" outside the new subjects are refused`, clients),
        ...(orphans.messages > 0 ? says(`${formatAmount(orphans)}, stored on "${subject}", stay`, orphans) : []),
      ];
    });
}

/** Consumers whose filters matched something before and match nothing that can come now. */
function starvedConsumers(change: Update, observed: Observed, model: Model): Effect[] {
  const stream = model.streams.find(({ name }) => name === change.name);
  if (!stream) return [];
  const held = heldSubjects(stream, model);
  const starved = consumersOf(change.name, model, observed).filter(({ config, live }) => {
    const filters = filtersIn(config);
    return live && filters.length > 0 && !filters.some((filter) => canMatch(filter, held));
  });
  return starved.length > 0
    ? breaks(
        "nothing new matches the filters of its readers any more",
        starved.map(({ client }) => client),
      )
    : [];
}

/** Sources that begin, begin again or end, and what a sink that is full loses to them. */
export function sourceEffects({ field, change, info, observed, measured }: Row): Effect[] {
  const [before, after] = sides<Origin>(field);
  const fresh = freshSources(field);
  const gone = before.filter((source) => !after.some(({ name }) => name === source.name));
  const incoming = fresh.map((source, i): Amount | undefined => {
    const origin = observed.streams.find(({ name }) => name === source.name);
    if (origin?.status !== "known" || source.external) return undefined;
    const { state } = origin.info;
    // A filter takes a part of it: uncounted, what there is bounds what comes.
    const counted = measured.incoming?.[i];
    return counted === undefined ? amountOf(state.messages, state, true) : amountOf(counted, state);
  });
  const copied = fresh.flatMap(({ name }, i) => {
    const has = incoming[i] ? `: it has ${formatAmount(incoming[i])}` : "";
    const again = before.some((old) => old.name === name) ? "again " : "";
    const twice = again ? ", so what came before comes twice" : "";
    return says(`${name} is copied ${again}from its first message${twice}${has}`, incoming[i]);
  });
  const stopped = gone.flatMap(({ name }) => [
    ...says(`${name} is no longer copied; what came from it stays`),
    ...neverCopied(name, info.sources, info.state),
  ]);
  const moved =
    fresh.length === 0 && gone.length === 0 ? says("a source that exists keeps its place: no new start") : [];
  const unknown = fresh.some(
    ({ name, external }, i) => incoming[i] === undefined && (external || isHidden(name, observed)),
  );
  return [...crowdedOut(change, info.state, unknown ? [ANYTHING] : incoming), ...copied, ...stopped, ...moved];
}

/**
 * What an origin still has for a stream that stops copying it, as its copies last said: of what was delivered to a full stream and
 * not taken they count nothing.
 *
 * @param least messages that are known to be missing whatever the copies say
 */
export function neverCopied(name: string, copies: readonly OriginInfo[] = [], state: StreamState, least = 0): Effect[] {
  const some = copies.filter((copy) => copy.name === name);
  // -1 is never, since the server started.
  if (some.length === 0 || some.some(({ active = -1 }) => active < 0)) {
    return breaks(`${name} was not heard of: what was not copied from it yet, nobody knows, and it never is`);
  }
  const left = Math.max(
    some.reduce((sum, { lag = 0 }) => sum + lag, 0),
    least,
  );
  const amount = amountOf(left, state, true);
  return left === 0
    ? []
    : breaks(`${formatAmount(amount)} were not copied from ${name} yet, and never are`, [], amount);
}

/** Messages that a mirror lacks at least: it keeps the sequences of its origin. One with a filter may lack fewer, so they are not counted. */
export function missingFrom(origin: Origin, state: StreamState, { streams }: Observed): number {
  const found = streams.find(({ name }) => name === origin.name);
  const whole = !origin.external && !origin.filter_subject && !origin.subject_transforms;
  return whole && found?.status === "known" ? Math.max(0, found.info.state.last_seq - state.last_seq) : 0;
}

const isHidden = (name: string, { streams }: Observed): boolean =>
  streams.some((stream) => stream.name === name && stream.status === "unknown");

/** What an origin brings that cannot be asked. */
const ANYTHING: Amount = { messages: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER };

/**
 * What is copied takes the place of what lies in the sink, soon after the update. How much of that it is depends on where the
 * server begins (a source that was there once goes on where it stopped), so that the upper bound alone is sure.
 */
function crowdedOut({ config }: Update, state: StreamState, incoming: readonly (Amount | undefined)[]): Effect[] {
  const comes = (part: "messages" | "bytes") => incoming.reduce((sum, amount) => sum + (amount?.[part] ?? 0), 0);
  const [messages, bytes] = [comes("messages"), comes("bytes")];
  const beyond = {
    messages: Math.max(0, state.messages + messages - unlimited(config.max_msgs)),
    bytes: Math.max(0, state.bytes + bytes - unlimited(config.max_bytes)),
  };
  const most = Math.max(
    Math.min(state.messages, beyond.messages),
    beyond.bytes > 0 ? state.messages : 0,
    // A message that comes again pushes out an older one of its subject.
    Number(config.max_msgs_per_subject) > 0 ? Math.min(state.messages, messages) : 0,
  );
  if (most === 0) return [];
  return config.discard === "new"
    ? says("what is copied has no room here, and waits until there is some")
    : loses(
        amountBetween(0, most, state),
        "pushed out, soon after the update, by what is copied from its first message",
      );
}

const sides = <T>({ from, to }: FieldChange): [T[], T[]] => [(from ?? []) as T[], (to ?? []) as T[]];
