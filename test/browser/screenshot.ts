import type { Locator, Page } from 'playwright-core';

/** A progress bar as it looks, in CSS pixels. */
export interface SeenBar {
  readonly width: number;
  readonly height: number;
  /** How much of its width is filled. */
  readonly filled: number;
}

/** Takes a picture of the whole page as it is on the screen, and looks for the bar in it. */
export async function barInScreenshot(page: Page, bar: Locator): Promise<SeenBar> {
  const box = await bar.boundingBox();
  if (box === null) throw new Error('The bar is not visible.');
  const picture = await page.screenshot();
  const colors = await page.evaluate(rowOfPixels, {
    png: picture.toString('base64'),
    x: Math.round(box.x),
    y: Math.round(box.y + box.height / 2),
    width: Math.round(box.width),
  });
  return { width: box.width, height: box.height, filled: colors.filter(isGreen).length };
}

type Color = readonly [red: number, green: number, blue: number];

/** The colour that the page gives to what is done; what is left, and the page itself, are grey. */
function isGreen([red, green, blue]: Color): boolean {
  return green > red + 40 && green > blue + 40;
}

/** Runs in the browser: one row of a picture's pixels. */
async function rowOfPixels(row: {
  png: string;
  x: number;
  y: number;
  width: number;
}): Promise<Color[]> {
  const bytes = Uint8Array.from(atob(row.png), (char) => char.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
  const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
  if (context === null) throw new Error('This browser has no canvas.');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(row.x, row.y, row.width, 1);
  return Array.from({ length: row.width }, (_, i) => [
    data[i * 4] ?? 0,
    data[i * 4 + 1] ?? 0,
    data[i * 4 + 2] ?? 0,
  ]);
}
