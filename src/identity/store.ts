/** What keeps documents: implemented in src/connect, by GCP Secret Manager or by a folder. */

/** Small JSON documents by id. A write is whole or not at all; what was there stays until then. */
export interface SecretStore {
  /** For people: "GCP Secret Manager of circl-production". */
  readonly title: string;
  /** The newest text under `id`, or undefined where there never was one. @throws StoreFailure; BrokenDocument for one that nobody can read */
  read(id: string): Promise<string | undefined>;
  /** @throws StoreFailure, and then nothing has changed */
  write(id: string, text: string): Promise<void>;
  /** When the newest text under `id` was written. @throws StoreFailure */
  writtenAt(id: string): Promise<Date | undefined>;
}

/** Documents that end with the process: for a throw-away cluster whose values nobody needs again. */
export function memoryStore(): SecretStore {
  const documents = new Map<string, { readonly text: string; readonly at: Date }>();
  return {
    title: "nowhere but in the cluster",
    read: async (id) => documents.get(id)?.text,
    write: async (id, text) => {
      documents.set(id, { text, at: new Date() });
    },
    writtenAt: async (id) => documents.get(id)?.at,
  };
}

/** The store cannot do what was asked now. The message holds what was tried, why it failed and the next step. */
export class StoreFailure extends Error {
  override readonly name = "StoreFailure";
}
