/** What only requests of their own tell, for the few changes whose effects depend on it. Without it those are bounds. */
import { ApiError, type Reader } from "./api.ts";
import type { Change } from "./diff.ts";
import { freshSources, type Origin } from "./origins.ts";

export interface Measured {
  /** How many messages each subject of the stream has. */
  readonly perSubject?: Readonly<Record<string, number>>;
  /** How many messages of their origins the sources that begin anew match, one by one; undefined where nobody can say. */
  readonly incoming?: readonly (number | undefined)[];
}

/** Asks for what `effectsOf` cannot know from a list of streams. */
export async function measure(change: Change, reader: Reader): Promise<Measured> {
  if (change.action !== "update" || change.live.kind !== "stream") return {};
  const { name } = change;
  const { num_subjects = 0 } = change.live.info.state;
  const sources = change.fields.find(({ field }) => field === "sources");
  const counts = change.fields.some(({ field }) => field === "max_msgs_per_subject" || field === "subjects");
  return {
    ...(sources
      ? { incoming: await Promise.all(freshSources(sources).map((source) => matching(source, reader))) }
      : {}),
    ...(counts && num_subjects <= MOST_SUBJECTS ? { perSubject: await subjectsOf(name, ">", reader) } : {}),
  };
}

/** Subjects come in pages of 100,000; beyond ten, bounds will do. */
const MOST_SUBJECTS = 1_000_000;

/** The messages of an origin that a source copies when it begins at the first. */
async function matching(source: Origin, reader: Reader): Promise<number | undefined> {
  if (source.external) return undefined;
  try {
    const pages = await Promise.all(filtersOf(source).map((filter) => subjectsOf(source.name, filter, reader)));
    return pages.flatMap((page) => Object.values(page)).reduce((sum, count) => sum + count, 0);
  } catch (error) {
    // An origin that is not there has nothing to copy; one that cannot be asked may have anything.
    if (error instanceof ApiError) return error.errCode === NO_STREAM ? 0 : undefined;
    throw error;
  }
}

const NO_STREAM = 10059;

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
