/** What may be asked for, per kind: the server's own declaration (contracts/kinds.py), kept equal by a test. */

export const CHOICES = {
  kinds: {
    image: {
      plural: "images",
      countField: "num_images",
      maxCount: 4,
      sizes: [
        "256x256",
        "512x512",
        "768x768",
        "1024x1024",
        "1280x720",
        "720x1280",
        "1536x1024",
        "1024x1536",
        "1792x1024",
        "1024x1792",
        "1920x1080",
        "1080x1920",
        "2048x2048",
      ],
      defaultSize: "1024x1024",
      models: ["procedural-1", "instant"],
    },
    video: {
      plural: "videos",
      countField: "num_videos",
      maxCount: 2,
      sizes: ["640x360", "854x480", "1280x720", "720x1280", "1920x1080", "1080x1920", "1024x1024"],
      defaultSize: "1280x720",
      models: ["procedural-1", "instant"],
    },
  },
  styles: ["illustration", "photo", "photorealistic", "ink", "paper", "neon", "watercolor", "anime", "3d", "sketch"],
  qualities: ["draft", "standard", "high"],
  defaultQuality: "standard",
  defaultModel: "procedural-1",
  seconds: { least: 1, most: 60, default: 4 },
};

/** Lengths of films worth offering, within the server's bounds. */
export const LENGTHS = [2, 4, 6, 8, 10, 15, 30, 60];

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
