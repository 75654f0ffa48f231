/** Reads lists page by page. Existence comes from NAMES, which is complete; LIST is not when servers are away. */
import type { ConsumerInfo, Reader, StreamInfo } from "./api.ts";

/** Entries that the server puts on one page (JSApiNamesLimit, JSApiListLimit). */
const NAMES_PAGE = 1024;
const LIST_PAGE = 256;
/** Pages in flight: the server works on 16 API requests at a time and drops its whole queue when that overflows. */
export const CONCURRENCY = 16;

interface Page {
  readonly total: number;
}

/** Names of every stream in the account. */
export async function streamNames(reader: Reader): Promise<string[]> {
  type NamesPage = Page & { readonly streams: readonly string[] | null };
  const pages = await allPages(NAMES_PAGE, (offset) => reader.read<NamesPage>("STREAM.NAMES", [], { offset }));
  return pages.flatMap(({ streams }) => streams ?? []).sort();
}

/** Names that a page of LIST has without saying more: `missing`, and why in `offline` where the server gives a reason. */
interface Unanswered extends Page {
  readonly missing?: readonly string[];
  /** What the server cannot run, for example as it was made by a newer one (since 2.11.9). */
  readonly offline?: Readonly<Record<string, string>>;
}

/** Whatever LIST knows of the streams, by name, and of those that it could not ask, why. */
export async function streamDetails(
  reader: Reader,
): Promise<{ readonly known: ReadonlyMap<string, StreamInfo>; readonly missing: ReadonlyMap<string, string> }> {
  type ListPage = Unanswered & { readonly streams: readonly StreamInfo[] | null };
  const pages = await allPages(LIST_PAGE, (offset) => reader.read<ListPage>("STREAM.LIST", [], { offset }));
  return {
    known: new Map(pages.flatMap(({ streams }) => (streams ?? []).map((info) => [info.config.name, info] as const))),
    missing: unanswered(pages),
  };
}

/**
 * The consumers of a stream, and of those that did not answer, why. Both come from the assignments that NAMES reads too
 * (jsClusteredConsumerListRequest, jsConsumerListRequest of 2.14.9), so that what is in neither is not there.
 */
export async function consumerDetails(
  reader: Reader,
  stream: string,
): Promise<{ readonly known: readonly ConsumerInfo[]; readonly missing: ReadonlyMap<string, string> }> {
  type ListPage = Unanswered & { readonly consumers: readonly ConsumerInfo[] | null };
  const pages = await allPages(LIST_PAGE, (offset) => reader.read<ListPage>("CONSUMER.LIST", [stream], { offset }));
  const missing = unanswered(pages);
  return {
    // What is missing may be a row of zeros as well, and that has no name.
    known: pages.flatMap(({ consumers }) => consumers ?? []).filter(({ name }) => name && !missing.has(name)),
    missing,
  };
}

const unanswered = (pages: readonly Unanswered[]): ReadonlyMap<string, string> =>
  new Map([
    ...pages.flatMap(({ missing = [] }) => missing.map((name) => [name, "its servers do not answer"] as const)),
    ...pages.flatMap(({ offline = {} }) =>
      Object.entries(offline).map(([name, reason]) => [name, `its server cannot run it: ${reason}`] as const),
    ),
  ]);

/** The offset grows by the page's size, not by what came: entries that are missing would be read twice otherwise. */
async function allPages<T extends Page>(size: number, page: (offset: number) => Promise<T>): Promise<T[]> {
  const first = await page(0);
  const offsets = Array.from({ length: Math.ceil(first.total / size) - 1 }, (_, i) => (i + 1) * size);
  return [first, ...(await inParallel(offsets, page))];
}

/** Runs `work` on every item, at most CONCURRENCY at a time; results in the order of the items. */
export async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  const queue = items.entries();
  const worker = async () => {
    for (const [i, item] of queue) results[i] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker));
  return results;
}
