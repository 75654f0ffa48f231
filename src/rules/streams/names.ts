/** Names: what the server takes, what is taken already, and what was meant. */
import type { Model } from "../../model/resolve.ts";
import { SERVER, STREAM_SYNC, type Stream } from "../../model/stream.ts";
import { inConsumer, inStream } from "../place.ts";
import type { Finding, Rule } from "../rule.ts";
import { nearest } from "../shape.ts";

const duplicateName: Rule<Model> = {
  code: "S003",
  severity: "error",
  title: "One name twice",
  reason:
    "The second stream of a name would silently replace the first, and so would the second consumer (an update, not an error).",
  hint: "Rename one of them.",
  *check({ streams }) {
    const files = new Map<string, string>();
    for (const stream of streams) {
      const first = files.get(stream.name);
      if (first !== undefined) yield { place: inStream(stream), says: `is also defined in ${first}` };
      files.set(stream.name, stream.file);
      const seen = new Set<string>();
      for (const [i, { name }] of stream.consumers.entries()) {
        if (seen.has(name)) yield { place: inStream(stream, `consumers[${i}].name`), says: `"${name}" is there twice` };
        seen.add(name);
      }
    }
  },
};

const invalidName: Rule<Model> = {
  code: "S004",
  severity: "error",
  title: "A name that the server refuses or means otherwise",
  reason:
    "A name with a dot or a space never reaches the server's handler, so the request times out instead of failing; one with a slash (10128, 10127) or " +
    "of more than 255 bytes (10052, 10102) is refused; KV_, OBJ_ and $MQTT_ belong to buckets and MQTT sessions.",
  hint: "Use letters, digits, _ and - (255 at most), with none of those prefixes; buckets by defineBucket and defineObjectStore.",
  *check({ streams }) {
    for (const stream of streams) {
      const fault = nameFault(stream.name, STREAM_CODES, stream.kind);
      if (fault) yield { place: inStream(stream, "name"), ...fault };
      for (const [i, { name }] of stream.consumers.entries()) {
        const refused = nameFault(name, CONSUMER_CODES);
        if (refused) yield { place: inStream(stream, `consumers[${i}].name`), ...refused };
      }
    }
  },
};

/** What the server says to a path separator and to a long name. */
interface NameCodes {
  readonly separator: number;
  readonly long: number;
}
const STREAM_CODES: NameCodes = { separator: 10128, long: 10052 };
const CONSUMER_CODES: NameCodes = { separator: 10127, long: 10102 };

function nameFault(
  name: string,
  { separator, long }: NameCodes,
  kind?: Stream["kind"],
): Omit<Finding, "place"> | undefined {
  if (/[\s.*>]/.test(name)) return { says: `"${name}" contains white space or one of . * >` };
  if (/[/\\]/.test(name)) return { says: `"${name}" contains / or \\`, errCode: separator };
  if (Buffer.byteLength(name) > 255) return { says: `"${name.slice(0, 20)}..." has over 255 bytes`, errCode: long };
  if (kind && !/^(KV|OBJ)_[-\w]+$/.test(name)) return { says: `"${name}" is no name of a bucket` };
  if (!kind && /^(KV_|OBJ_|\$MQTT_)/.test(name)) return { says: `"${name}" has a reserved prefix` };
  return undefined;
}

const unknownService: Rule<Model> = {
  code: "S005",
  severity: "error",
  title: "A service that is not declared",
  reason:
    "Permissions, credentials and network policies are made for declared services: an undeclared one is refused at its first message.",
  hint: "Declare it in streams/services.ts or spell it right.",
  *check({ streams, services }) {
    const names = [...services.map(({ name }) => name), SERVER, STREAM_SYNC];
    const unknown = (service: string, place: string): Finding[] => {
      if (names.includes(service)) return [];
      const near = nearest(service, names);
      return [{ place, says: `"${service}" is no service`, ...(near ? { hint: `Did you mean "${near}"?` } : {}) }];
    };
    for (const stream of streams) {
      for (const [i, { service, deadLettersOf }] of stream.publishers.entries()) {
        if (!deadLettersOf) yield* unknown(service, inStream(stream, `publishers[${i}].service`));
      }
      for (const consumer of stream.consumers) {
        yield* unknown(consumer.service, inConsumer(stream, consumer, "service"));
      }
      for (const [i, service] of stream.readers.entries()) yield* unknown(service, inStream(stream, `readers[${i}]`));
    }
  },
};

const unknownOverlay: Rule<Model> = {
  code: "S006",
  severity: "error",
  title: "Figures for an environment that does not exist",
  reason: "They would never apply, and the environment that was meant gets production's figures instead.",
  hint: "Use a key of environments/index.ts.",
  *check({ streams, environmentNames }) {
    for (const stream of streams) {
      for (const name of stream.overlays.filter((overlay) => !environmentNames.includes(overlay))) {
        const near = nearest(name, environmentNames);
        yield {
          place: inStream(stream, `in.${name}`),
          says: "is no environment",
          ...(near ? { hint: `Did you mean "${near}"?` } : {}),
        };
      }
    }
  },
};

export const nameRules = [duplicateName, invalidName, unknownService, unknownOverlay];
