/** What only requests of their own tell, for the few changes whose effects depend on it. Without it those are bounds. */
import type { Reader } from "./api.ts";
import type { Change } from "./diff.ts";
import type { Observed } from "./observe.ts";
import { freshSources, type Origin } from "./origins.ts";

export interface Measured {
  /** How many messages each subject of the stream has. */
  readonly perSubject?: Readonly<Record<string, number>>;
  /** How many messages of their origins the sources that begin anew match, one by one; undefined where nobody can say. */
  readonly incoming?: readonly (number | undefined)[];
}

/**
 * Asks for what `effectsOf` cannot know from a list of streams.
 * @param observed which origins can be asked: of the others, what they bring is known in bounds
 */
export async function measure(change: Change, reader: Reader, observed: Pick<Observed, "streams">): Promise<Measured> {
  if (change.action !== "update" || change.live.kind !== "stream") return {};
  const { name } = change;
  const { num_subjects = 0 } = change.live.info.state;
  const sources = change.fields.find(({ field }) => field === "sources");
  const counts = change.fields.some(({ field }) => field === "max_msgs_per_subject" || field === "subjects");
  return {
    ...(sources
      ? { incoming: await Promise.all(freshSources(sources).map((source) => matching(source, reader, observed))) }
      : {}),
    ...(counts && num_subjects <= MOST_SUBJECTS ? { perSubject: await subjectsOf(name, ">", reader) } : {}),
  };
}

/** Subjects come in pages of 100,000; beyond ten, bounds will do. */
const MOST_SUBJECTS = 1_000_000;

/** The messages of an origin that a source copies when it begins at the first. One without a leader would keep us waiting. */
async function matching(
  source: Origin,
  reader: Reader,
  { streams }: Pick<Observed, "streams">,
): Promise<number | undefined> {
  const origin = streams.find(({ name }) => name === source.name);
  if (source.external || origin?.status !== "known") return undefined;
  if ((origin.info.state.num_subjects ?? 0) > MOST_SUBJECTS) return undefined;
  const pages = await Promise.all(filtersOf(source).map((filter) => subjectsOf(source.name, filter, reader)));
  return pages.flatMap((page) => Object.values(page)).reduce((sum, count) => sum + count, 0);
}

/** Transforms filter by what they map. */
const filtersOf = ({ filter_subject, subject_transforms = [] }: Origin): readonly string[] =>
  subject_transforms.length > 0 ? subject_transforms.map(({ src }) => src || ">") : [filter_subject || ">"];

async function subjectsOf(stream: string, filter: string, reader: Reader): Promise<Record<string, number>> {
  type Page = { readonly total?: number; readonly state: { readonly subjects?: Readonly<Record<string, number>> } };
  const perSubject: Record<string, number> = {};
  for (;;) {
    const had = Object.keys(perSubject).length;
    const body = { subjects_filter: filter, offset: had };
    const { total = 0, state } = await reader.read<Page>("STREAM.INFO", [stream], body);
    Object.assign(perSubject, state.subjects);
    const has = Object.keys(perSubject).length;
    if (has === had || has >= total) return perSubject;
  }
}
