/** A store that ends the run after some writes, as a lost network or a Ctrl-C does. */
import { type SecretStore, StoreFailure } from "../../src/identity/store.ts";

export interface MemoryStore extends SecretStore {
  readonly documents: Map<string, string>;
  readonly written: string[];
}

/** @param writes how many writes it takes before every further one fails */
export function memoryStore(
  documents: Map<string, string> = new Map(),
  writes = Number.POSITIVE_INFINITY,
): MemoryStore {
  const written: string[] = [];
  return {
    title: "memory",
    documents,
    written,
    read: async (id) => documents.get(id),
    write: async (id, text) => {
      if (written.length >= writes) throw new StoreFailure(`memory: writing ${id}: cut off`);
      written.push(id);
      documents.set(id, text);
    },
    writtenAt: async (id) => (documents.has(id) ? new Date(0) : undefined),
  };
}
