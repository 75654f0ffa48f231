/** NATS subjects: what is a valid one, which two can match the same message, and an index that finds such pairs quickly. */

/** Why `subject` is no valid subject or filter, or undefined. Tokens by ".", "*" a whole token, ">" only last. */
export function subjectFault(subject: string): string | undefined {
  if (subject === "") return "is empty";
  if (/\s/.test(subject)) return "contains white space";
  const tokens = subject.split(".");
  if (tokens.includes("")) return 'has an empty token (a leading, trailing or double ".")';
  if (tokens.slice(0, -1).includes(">")) return 'has ">" before its last token';
  const mixed = tokens.find((token) => token.length > 1 && /[*>]/.test(token));
  return mixed ? `has a wildcard inside the token "${mixed}"` : undefined;
}

/** Whether some subject matches both patterns (the server's SubjectsCollide, sublist.go). Symmetric. */
export function collide(a: string, b: string): boolean {
  const left = a.split(".");
  const right = b.split(".");
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    if (left[i] === undefined || right[i] === undefined) return false;
    if (left[i] === ">" || right[i] === ">") return true;
    if (left[i] !== right[i] && left[i] !== "*" && right[i] !== "*") return false;
  }
  return true;
}

/** Whether every subject that matches `inner` also matches `outer`. */
export function covers(outer: string, inner: string): boolean {
  const wide = outer.split(".");
  const narrow = inner.split(".");
  for (let i = 0; i < wide.length; i++) {
    if (narrow[i] === undefined) return false;
    if (wide[i] === ">") return true;
    if (narrow[i] === ">") return false;
    if (wide[i] !== "*" && wide[i] !== narrow[i]) return false;
  }
  return wide.length === narrow.length;
}

interface Node<T> {
  readonly children: Map<string, Node<T>>;
  readonly entries: { readonly subject: string; readonly value: T }[];
}

/** Patterns by token, so that looking for collisions among thousands of streams does not compare every pair. */
export class SubjectIndex<T> {
  readonly #root: Node<T> = { children: new Map(), entries: [] };

  add(subject: string, value: T): void {
    let node = this.#root;
    for (const token of subject.split(".")) {
      let next = node.children.get(token);
      if (!next) {
        next = { children: new Map(), entries: [] };
        node.children.set(token, next);
      }
      node = next;
    }
    node.entries.push({ subject, value });
  }

  /** Every entry whose pattern collides with `subject`, in no particular order. */
  colliding(subject: string): { readonly subject: string; readonly value: T }[] {
    const tokens = subject.split(".");
    const found: { readonly subject: string; readonly value: T }[] = [];
    const below = (node: Node<T>): void => {
      found.push(...node.entries);
      for (const child of node.children.values()) below(child);
    };
    const walk = (node: Node<T>, depth: number): void => {
      const token = tokens[depth];
      if (token === undefined) {
        found.push(...node.entries);
        return;
      }
      if (token === ">") {
        for (const child of node.children.values()) below(child);
        return;
      }
      found.push(...(node.children.get(">")?.entries ?? []));
      const keys = token === "*" ? node.children.keys() : [token, "*"];
      for (const key of keys) {
        const child = key === ">" ? undefined : node.children.get(key);
        if (child) walk(child, depth + 1);
      }
    };
    walk(this.#root, 0);
    return found;
  }
}
