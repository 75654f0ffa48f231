/** What keeps documents: implemented in src/connect, by GCP Secret Manager or by a folder. */

/** Small JSON documents by id. A write is whole or not at all; what was there stays until then. */
export interface SecretStore {
  /** For people: "GCP Secret Manager of circl-production". */
  readonly title: string;
  /** The newest text under `id`, or undefined where there never was one. @throws StoreFailure */
  read(id: string): Promise<string | undefined>;
  /** @throws StoreFailure, and then nothing has changed */
  write(id: string, text: string): Promise<void>;
  /** When the newest text under `id` was written. @throws StoreFailure */
  writtenAt(id: string): Promise<Date | undefined>;
}

/** The store cannot do what was asked now. The message holds what was tried, why it failed and the next step. */
export class StoreFailure extends Error {
  override readonly name = "StoreFailure";
}
