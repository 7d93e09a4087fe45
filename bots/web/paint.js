// What is painted over and behind a photo. Over it, where the model looked for a word: attended places stay lit, the
// rest goes dark.

const SIDE = 96; // pixels of the drawn map; the browser smooths the rest
const DARK = 205; // of 255: how dark the unattended places get

// attention: {rows, columns, maps}, a map is rows * columns numbers from 0 to 255. Stretched from a word's least to its
// most attended place: the picture shows where, not how much.
export function drawHeat(canvas, picture, attention, word) {
  const scale = Math.min(1, 640 / Math.max(picture.naturalWidth, picture.naturalHeight));
  canvas.width = Math.max(1, picture.naturalWidth * scale); // the photo's shape: object-fit places both alike
  canvas.height = Math.max(1, picture.naturalHeight * scale);
  const map = attention.maps[word];
  const least = Math.min(...map);
  const range = Math.max(1, Math.max(...map) - least);
  const pixels = new ImageData(SIDE, SIDE);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const heat = (smooth(map, attention, (x + 0.5) / SIDE, (y + 0.5) / SIDE) - least) / range;
      const at = 4 * (y * SIDE + x);
      pixels.data[at] = 255 * heat; // orange where it is hot, black where it is not
      pixels.data[at + 1] = 140 * heat;
      pixels.data[at + 3] = DARK * (1 - heat) ** 1.5 + 45 * heat;
    }
  }
  const small = new OffscreenCanvas(SIDE, SIDE);
  small.getContext("2d").putImageData(pixels, 0, 0);
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(small, 0, 0, canvas.width, canvas.height);
}

// The photo's colours, for the edges that it leaves free: so few pixels that stretching them blurs them.
export function drawBackdrop(canvas, picture) {
  [canvas.width, canvas.height] = [8, 6];
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
}

// The map at a point (0 to 1 each way): the cells around it, nearer ones counting more.
function smooth(map, { rows, columns }, x, y) {
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
