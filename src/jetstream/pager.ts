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

/** Whatever LIST knows of the streams, by name, and the names that it says it could not ask. */
export async function streamDetails(
  reader: Reader,
): Promise<{ readonly known: ReadonlyMap<string, StreamInfo>; readonly missing: ReadonlySet<string> }> {
  type ListPage = Page & { readonly streams: readonly StreamInfo[] | null; readonly missing?: readonly string[] };
  const pages = await allPages(LIST_PAGE, (offset) => reader.read<ListPage>("STREAM.LIST", [], { offset }));
  return {
    known: new Map(pages.flatMap(({ streams }) => (streams ?? []).map((info) => [info.config.name, info] as const))),
    missing: new Set(pages.flatMap(({ missing = [] }) => missing)),
  };
}

/** The consumers of a stream, and the names of those that did not answer. */
export async function consumerDetails(
  reader: Reader,
  stream: string,
): Promise<{ readonly known: readonly ConsumerInfo[]; readonly missing: readonly string[] }> {
  type ListPage = Page & { readonly consumers: readonly ConsumerInfo[] | null; readonly missing?: readonly string[] };
  const pages = await allPages(LIST_PAGE, (offset) => reader.read<ListPage>("CONSUMER.LIST", [stream], { offset }));
  return {
    known: pages.flatMap(({ consumers }) => consumers ?? []),
    missing: pages.flatMap(({ missing = [] }) => missing),
  };
}

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
