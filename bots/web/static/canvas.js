// Draws on the canvases over and behind a photo. Over it is the attention map of a word: attended regions stay bright,
// the rest is darkened.

const SIZE = 96; // pixels of the computed map; the browser interpolates the rest
const MAX_ALPHA = 205; // of 255: how dark unattended regions get

// attention: {rows, columns, maps}; a map is rows * columns numbers from 0 to 255. Each map is scaled to its own range:
// it shows where the model looked, not how strongly.
export function drawAttention(canvas, picture, attention, word) {
  const scale = Math.min(1, 640 / Math.max(picture.naturalWidth, picture.naturalHeight));
  canvas.width = Math.max(1, picture.naturalWidth * scale); // the photo's aspect ratio: object-fit aligns them
  canvas.height = Math.max(1, picture.naturalHeight * scale);
  const map = attention.maps[word];
  const min = Math.min(...map);
  const range = Math.max(1, Math.max(...map) - min);
  const pixels = new ImageData(SIZE, SIZE);
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const value = (interpolate(map, attention, (x + 0.5) / SIZE, (y + 0.5) / SIZE) - min) / range;
      const offset = 4 * (y * SIZE + x);
      pixels.data[offset] = 255 * value; // orange at the maximum, black at the minimum
      pixels.data[offset + 1] = 140 * value;
      pixels.data[offset + 3] = MAX_ALPHA * (1 - value) ** 1.5 + 45 * value;
    }
  }
  const small = new OffscreenCanvas(SIZE, SIZE);
  small.getContext("2d").putImageData(pixels, 0, 0);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
}

// Fills the space beside the photo with its colours, by stretching a copy of few pixels.
export function drawBackdrop(canvas, picture) {
  [canvas.width, canvas.height] = [8, 6];
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
}

// Interpolates the map at a point (x and y from 0 to 1) with Gaussian weights of the cells around it.
function interpolate(map, { rows, columns }, x, y) {
  let sum = 0;
  let weights = 0;
  const [across, down] = [x * columns - 0.5, y * rows - 0.5];
  for (let row = Math.floor(down) - 1; row <= Math.floor(down) + 2; row++) {
    for (let column = Math.floor(across) - 1; column <= Math.floor(across) + 2; column++) {
      const weight = Math.exp(-1.6 * ((row - down) ** 2 + (column - across) ** 2));
      const inside = Math.min(rows - 1, Math.max(0, row)) * columns + Math.min(columns - 1, Math.max(0, column));
      sum += weight * map[inside];
      weights += weight;
    }
  }
  return sum / weights;
}
