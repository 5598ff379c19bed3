/** What a request may hold, whatever the model: the server's own declaration, kept equal to contracts/ by a test. */

export const CHOICES = {
  kinds: {
    image: { plural: "images", countField: "num_images", defaultSize: "1024x1024", defaultFormat: "PNG" },
    video: { plural: "videos", countField: "num_videos", defaultSize: "1280x720", defaultFormat: "MP4" },
  },
  styles: ["illustration", "photo", "photorealistic", "ink", "paper", "neon", "watercolor", "anime", "3d", "sketch"],
  qualities: ["draft", "standard", "high"],
  defaultQuality: "standard",
  defaultSeconds: 4,
  promptMost: 10000,
  addressMost: 2048,
  uploadMost: 10485760,
  uploadTypes: ["image/png", "image/jpeg", "image/webp"],
};

/** @type {import("../types.js").Kind[]} */
export const KINDS = ["image", "video"];

/** @param {string} size @returns {[number, number]} */
export function pixels(size) {
  const [width, height] = size.split("x").map(Number);
  return [width || 1, height || 1];
}

/** @param {string} size @returns {"square" | "wide" | "tall"} */
export function shapeOf(size) {
  const [width, height] = pixels(size);
  if (width === height) return "square";
  return width > height ? "wide" : "tall";
}
