/**
 * Text from elsewhere on one line, as it is: what would end the line, move the cursor, set colours or turn the direction of
 * writing is written as an escape (`\n`, `\u001b`). A client chooses its name before anybody has let it in.
 */
export const visible = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => SHORT[character] ?? codeUnits(character));

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

const codeUnits = (character: string): string =>
  [...Array(character.length).keys()]
    .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`)
    .join("");
