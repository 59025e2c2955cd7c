/** A metre on the floor, and the person's directions: what gives the 3D view its size and sides. */
import { BufferGeometry, CanvasTexture, Group, LineBasicMaterial, LineSegments, Sprite, SpriteMaterial, Vector3 } from 'three';

const REACH = 1.15;
const COLOUR = '#6b7785';

/** A text that always faces the reader. */
function label(text, place) {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [256, 64];
  const context = canvas.getContext('2d');
  context.font = '600 34px system-ui, sans-serif';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineWidth = 6;
  context.strokeStyle = 'rgba(255, 255, 255, 0.85)';
  context.strokeText(text, 128, 32);
  context.fillStyle = '#3b4652';
  context.fillText(text, 128, 32);
  const sprite = new Sprite(new SpriteMaterial({ map: new CanvasTexture(canvas), transparent: true, depthTest: false }));
  sprite.position.copy(place);
  sprite.scale.set(0.52, 0.13, 1);
  return sprite;
}

/**
 * Makes the rulers.
 * @param {number} floor its height, metres
 */
export function rulers(floor) {
  const y = floor + 0.004;
  const at = (x, z) => new Vector3(x, y, z);
  const [from, to] = [at(-0.5, REACH - 0.12), at(0.5, REACH - 0.12)];
  const ends = [from, to].flatMap((end) => [end.clone().add(new Vector3(0, 0, -0.06)), end.clone().add(new Vector3(0, 0, 0.06))]);
  const lines = new LineSegments(new BufferGeometry().setFromPoints([from, to, ...ends]), new LineBasicMaterial({ color: COLOUR }));
  const group = new Group();
  group.add(lines, label('1 m', at(0.72, REACH - 0.12)), label('front', at(0, REACH + 0.08)), label('back', at(0, -REACH)),
    label('left', at(REACH, 0)), label('right', at(-REACH, 0)));
  return group;
}
