/**
 * Writes a file as the one comment of a pull request: what stood there before is replaced.
 *
 *   node .github/scripts/comment.js FILE
 *
 * The file and the names of its branch come from whoever opened the pull request. They are text here and nothing else; which
 * pull request it is, GitHub says.
 */
import { readFileSync } from "node:fs";
import { github, list, SELF } from "./github.js";

const MARKER = "<!-- circl comment -->";
/** GitHub takes 65,536 characters. */
const LONGEST = 65_000;

const { GITHUB_REPOSITORY, HEAD_BRANCH = "", HEAD_REPOSITORY = "", HEAD_SHA } = process.env;
const [file = ""] = process.argv.slice(2);

const text = readFileSync(file, "utf8").replace(MARKER, "").trim().slice(0, LONGEST);
const fork = HEAD_REPOSITORY !== GITHUB_REPOSITORY;
const note = fork ? `_Said by the code of the fork ${HEAD_REPOSITORY}. No cluster was asked._` : "";
const body = [MARKER, ...(note ? [note] : []), text].join("\n\n");

const number = await openPullRequest();
if (number === undefined) console.log(`no open pull request has ${HEAD_SHA} as its last commit: nothing to say`);
else await write(number);

/** The pull request of the commit; none where it was closed, or has newer commits, whose run will comment. */
async function openPullRequest() {
  const head = encodeURIComponent(`${HEAD_REPOSITORY.split("/")[0]}:${HEAD_BRANCH}`);
  for await (const one of list(`/pulls?state=open&head=${head}`)) if (one.head.sha === HEAD_SHA) return one.number;
  return undefined;
}

/** @param {number} issue */
async function write(issue) {
  for await (const comment of list(`/issues/${issue}/comments`)) {
    if (comment.user.login !== SELF || !comment.body.startsWith(MARKER)) continue;
    await github("PATCH", `/issues/comments/${comment.id}`, { body });
    return;
  }
  await github("POST", `/issues/${issue}/comments`, { body });
}
