/** GCP Secret Manager, through gcloud. */
import { BrokenDocument } from "../identity/documents.ts";
import { type SecretStore, StoreFailure } from "../identity/store.ts";
import { type Answer, PATIENCE, runGcloud } from "./gcloud.ts";

/**
 * Secret Manager of a project, with the login that gcloud has. Payloads go by stdin and stdout, never as an argument.
 * @param patience milliseconds for each answer of gcloud
 */
export function gcpSecretManager(project: string, patience = PATIENCE): SecretStore {
  const title = `GCP Secret Manager of ${project}`;
  const gcloud = (args: readonly string[], doing: string, input?: string) =>
    runGcloud(["secrets", ...args, `--project=${project}`, "--quiet"], `${title}: ${doing}`, { input, patience });
  const add = (id: string, text: string) =>
    gcloud(["versions", "add", id, "--data-file=-"], `writing ${id}`, text).then(({ found }) => found);
  const create = (id: string, text: string) =>
    gcloud(["create", id, "--replication-policy=automatic", "--data-file=-"], `creating ${id}`, text).then(
      ({ found }) => found,
    );
  // Where a look found nothing a create comes first: half the processes, and each takes a second.
  const missing = new Set<string>();
  return {
    title,
    read: async (id) => {
      const answer = await gcloud(["versions", "access", "latest", `--secret=${id}`], `reading ${id}`);
      if (answer.closed) throw unreadable(id, project, answer.closed);
      if (!answer.found) missing.add(id);
      return ifThere(answer);
    },
    write: async (id, text) => {
      // Cut off after its create, a secret has no version: it counts as missing, and is there.
      const [first, second] = missing.has(id) ? [create, add] : [add, create];
      if ((await first(id, text)) || (await second(id, text))) return;
      throw new StoreFailure(
        `${title}: writing ${id}: somebody else made or deleted it meanwhile. Run the same command again.`,
      );
    },
    writtenAt: async (id) => {
      const made = await gcloud(
        ["versions", "describe", "latest", `--secret=${id}`, "--format=value(createTime)"],
        `reading ${id}`,
      );
      const text = ifThere(made)?.trim();
      return text ? new Date(text) : undefined;
    },
  };
}

const ifThere = ({ found, text }: Answer): string | undefined => (found ? text : undefined);

const unreadable = (id: string, project: string, { state, version }: NonNullable<Answer["closed"]>): BrokenDocument =>
  new BrokenDocument(
    `${id}: its newest version is ${
      state === "DISABLED"
        ? `disabled. Enable it (gcloud secrets versions enable ${version} --secret=${id} --project=${project})`
        : "destroyed, and nothing brings that back. Write its last good version again"
    }, or revoke, which makes a new one (of anything but an encryption key).`,
  );
