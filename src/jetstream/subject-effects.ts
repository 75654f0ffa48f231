/** What a stream does to its clients when it captures or copies something else than before. */
import { canMatch, heldSubjects } from "../model/capture.ts";
import type { Model } from "../model/resolve.ts";
import { collide, covers } from "../model/subject.ts";
import { formatAmount } from "../units.ts";
import { consumersOf, filtersIn, publishersOf } from "./clients.ts";
import type { Change, FieldChange } from "./diff.ts";
import { amountOf, breaks, type Effect, says } from "./effect.ts";
import type { Measured } from "./effects.ts";
import type { Observed } from "./observe.ts";

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

interface Origin {
  readonly name: string;
  readonly filter_subject?: string;
  readonly subject_transforms?: unknown;
  readonly external?: unknown;
}
/** What makes a source another one to the server (composeIName); where it starts is no part of that. */
const identity = ({ name, filter_subject, subject_transforms, external }: Origin): string =>
  JSON.stringify([name, filter_subject, subject_transforms, external]);

/** A source that the server takes for a new one is copied from its first message, whatever was copied before. */
export function sourceEffects(field: FieldChange, observed: Observed): Effect[] {
  const [before, after] = sides<Origin>(field);
  const fresh = after.filter((source) => !before.some((old) => identity(old) === identity(source)));
  const gone = before.filter((source) => !after.some(({ name }) => name === source.name));
  const copied = fresh.flatMap(({ name }) => {
    const origin = observed.streams.find((stream) => stream.name === name);
    // A filter takes a part of it: what there is bounds what comes.
    const all = origin?.status === "known" ? amountOf(origin.info.state.messages, origin.info.state, true) : undefined;
    const has = all ? `: it has ${formatAmount(all)}` : "";
    const again = before.some((old) => old.name === name) ? "again " : "";
    const twice = again ? ", so what came before comes twice" : "";
    return says(`${name} is copied ${again}from its first message${twice}${has}`, all);
  });
  const stopped = gone.flatMap(({ name }) => says(`${name} is no longer copied; what came from it stays`));
  const moved =
    fresh.length === 0 && gone.length === 0 ? says("a source that exists keeps its place: no new start") : [];
  return [...copied, ...stopped, ...moved];
}

const sides = <T>({ from, to }: FieldChange): [T[], T[]] => [(from ?? []) as T[], (to ?? []) as T[]];
