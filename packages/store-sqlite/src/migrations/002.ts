/** What an intent does again. Older versions leave it empty and lose nothing. */
export const sql = `
ALTER TABLE intents ADD COLUMN retried_from TEXT;
`;
