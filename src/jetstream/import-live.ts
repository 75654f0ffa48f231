/** Streams and consumers on a live server, with the subjects that lie in each stream. */
import { atLeast, parseVersion } from "../model/version.ts";
import type { Reader, StreamInfo } from "./api.ts";
import type { Found } from "./import-files.ts";
import { type ObservedStream, observe } from "./observe.ts";
import { inParallel, streamNames } from "./pager.ts";

/** Subjects that the server puts on one page (JSMaxSubjectDetails). */
const SUBJECTS_PAGE = 100_000;

type Known = Extract<ObservedStream, { status: "known" }>;

/** Everything in the account. Streams and consumers that exist and do not answer are problems: they are not imported. */
export async function findLive(reader: Reader): Promise<Found> {
  const observed = await observe(reader, await streamNames(reader));
  const known = observed.streams.filter((stream): stream is Known => stream.status === "known");
  const version = parseVersion(observed.server.version);
  return {
    streams: await inParallel(known, async ({ name, info }) => ({
      config: info.config,
      consumers: observed.consumers.get(name)?.known.map(({ config }) => config) ?? [],
      subjects: await subjectsIn(info, reader),
      hasSourceWindow: version !== undefined && !atLeast(version, "2.14"),
    })),
    problems: observed.streams.flatMap((stream) =>
      stream.status === "unknown"
        ? [{ name: stream.name, says: `is not imported: ${stream.why}` }]
        : (observed.consumers.get(stream.name)?.unknown ?? []).map(({ name, why }) => ({
            name: `${stream.name}/${name}`,
            says: `is not imported: ${why}`,
          })),
    ),
  };
}

/** Messages by subject. A stream that captures nothing itself has no publishers to look for. */
async function subjectsIn({ config, state }: StreamInfo, reader: Reader): Promise<Map<string, number>> {
  if (state.messages === 0 || !Array.isArray(config.subjects)) return new Map();
  type Page = { readonly total?: number; readonly state: { readonly subjects?: Readonly<Record<string, number>> } };
  const subjects = new Map<string, number>();
  for (let offset = 0, total = 1; offset < total; offset += SUBJECTS_PAGE) {
    const page = await reader.read<Page>("STREAM.INFO", [config.name], { subjects_filter: ">", offset });
    for (const [subject, messages] of Object.entries(page.state.subjects ?? {})) subjects.set(subject, messages);
    total = page.total ?? 0;
  }
  return subjects;
}
