/** The 3D scene: body, surfaces and an orbiting camera. Draws only when something changed. */
import {
  Box3, BufferAttribute, BufferGeometry, Color, DirectionalLight, DoubleSide, GridHelper, HemisphereLight, Mesh,
  MeshLambertMaterial, PerspectiveCamera, Scene, Vector3, WebGLRenderer,
} from 'three';
import { rulers } from './rulers.js';
import { isoSurface } from './surface.js';

/** Azimuth and elevation, degrees; azimuth 0 looks at the person's front. */
export const VIEWS = { Front: [0, 5], Left: [90, 5], Back: [180, 5], Right: [-90, 5], Above: [0, 85] };

/** The surfaces drawn at once: their levels as shares of the chosen one, and how opaque they are. */
export const SURFACES = { one: [1], two: [1, 0.4], three: [1, 0.6, 0.3] };

const OPACITIES = [0.9, 0.24, 0.13];
const LIMITS = { zoom: [0.2, 4], elevation: [-89, 89] };
/** The object is seen a little from the side, so that it does not cover the person. */
const ASIDE = 30;
const FOV = 35;
const clamp = (value, [low, high]) => Math.min(high, Math.max(low, value));

/** Whether this browser can draw at all. */
export function webglWorks() {
  try {
    const context = document.createElement('canvas').getContext('webgl2');
    context?.getExtension('WEBGL_lose_context')?.loseContext();
    return Boolean(context);
  } catch {
    return false;
  }
}

function geometry(positions, indices) {
  const made = new BufferGeometry();
  made.setAttribute('position', new BufferAttribute(positions, 3));
  made.setIndex(new BufferAttribute(indices, 1));
  made.computeVertexNormals();
  return made;
}

/** Surface positions in voxels -> metres. */
function toMetres(positions, { resolution, side_length: side, center }) {
  const voxel = side / resolution;
  return positions.map((value, i) => center[i % 3] - side / 2 + (value + 0.5) * voxel);
}

const shell = (opacity) => new MeshLambertMaterial({
  color: new Color('#e8590c'), side: DoubleSide, transparent: opacity < 1, opacity, depthWrite: opacity >= 0.8,
});

/** The mesh of the body: solid, and faintly through everything before it. */
function bodyMeshes(vertices, faces) {
  const made = geometry(vertices, faces);
  const color = new Color('#9fb3c8');
  const ghost = new Mesh(made, new MeshLambertMaterial({ color: new Color('#5b7690'), transparent: true, opacity: 0.22, depthTest: false, depthWrite: false }));
  ghost.renderOrder = 2;
  return [new Mesh(made, new MeshLambertMaterial({ color, side: DoubleSide })), ghost];
}

/** Where to look from so that a place around the person's pelvis is seen: azimuth and elevation, degrees. */
export function viewOf([x, y, z]) {
  const away = Math.hypot(x, z);
  const azimuth = away < 0.05 ? 0 : (Math.atan2(x, z) * 180) / Math.PI;
  return [azimuth + ASIDE, y < -0.5 ? 22 : 10];
}

/** Body, surfaces and camera on one canvas. */
export class FieldScene {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true, preserveDrawingBuffer: true });
    this.renderer.setPixelRatio(Math.min(window.devicePixelRatio || 1, 2));
    this.camera = new PerspectiveCamera(FOV, 1, 0.05, 50);
    this.world = new Scene();
    this.world.add(new HemisphereLight('#ffffff', '#8a8f98', 2.2));
    this.light = new DirectionalLight('#ffffff', 1.6);
    this.world.add(this.light);
    this.surfaces = OPACITIES.map((opacity) => new Mesh(new BufferGeometry(), shell(opacity)));
    this.world.add(...this.surfaces);
    [this.bodyBox, this.box] = [new Box3(), new Box3()];
    [this.azimuth, this.elevation, this.factor, this.fitted] = [ASIDE, 10, 1, 4.2];
    this.target = new Vector3();
    canvas.addEventListener('webglcontextrestored', () => this.draw());
  }

  /** Shows the body: vertices (V * 3) in metres, faces (F * 3); and a floor with a metre and the directions. */
  setBody(vertices, faces) {
    const meshes = bodyMeshes(vertices, faces);
    this.world.add(...meshes);
    meshes[0].geometry.computeBoundingBox();
    this.bodyBox.copy(meshes[0].geometry.boundingBox);
    const floor = this.bodyBox.min.y - 0.005;
    const grid = new GridHelper(3, 12, '#8a94a0', '#8a94a0');
    grid.material.transparent = true;
    grid.material.opacity = 0.35;
    grid.position.y = floor;
    this.world.add(grid, rulers(floor));
    this.box.copy(this.bodyBox);
  }

  /**
   * Shows the surfaces of a field.
   * @param {Uint8Array[]} fields for each surface the values that it is made from
   * @param {object} grid
   * @param {number[]} levels of the surfaces, of 255
   */
  setField(fields, grid, levels) {
    this.surfaces.forEach((mesh, i) => {
      mesh.visible = i < levels.length;
      if (!mesh.visible) return;
      const { positions, indices } = isoSurface(fields[i], grid.resolution, Math.max(1, levels[i]));
      mesh.geometry.dispose();
      mesh.geometry = geometry(toMetres(positions, grid), indices);
    });
    this.box.copy(this.bodyBox);
    const { geometry: first } = this.surfaces[0];
    if (first.index?.count) {
      first.computeBoundingBox();
      this.box.union(first.boundingBox);
    }
    this.draw();
  }

  /** Turns by degrees. */
  turn(azimuth, elevation) {
    this.azimuth += azimuth;
    this.elevation = clamp(this.elevation + elevation, LIMITS.elevation);
    this.draw();
  }

  /** Looks from an azimuth and an elevation, degrees, so that body and field fill the picture. */
  look(azimuth, elevation, factor = 1) {
    this.azimuth = azimuth;
    this.elevation = clamp(elevation, LIMITS.elevation);
    this.factor = factor;
    this.frame();
    this.draw();
  }

  /** Goes nearer (factor below 1) or away. */
  zoom(factor) {
    this.factor = clamp(this.factor * factor, LIMITS.zoom);
    this.draw();
  }

  /** Takes the size of its place on the page. */
  resize(width, height) {
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.frame();
    this.draw();
  }

  /** Toward the camera, to its right, and up. */
  axes() {
    const [a, e] = [this.azimuth, this.elevation].map((degrees) => (degrees * Math.PI) / 180);
    const toward = new Vector3(Math.sin(a) * Math.cos(e), Math.sin(e), Math.cos(a) * Math.cos(e));
    const right = new Vector3(Math.cos(a), 0, -Math.sin(a));
    return { toward, right, up: new Vector3().crossVectors(toward, right) };
  }

  /** Finds the distance from which everything is in the picture. */
  frame() {
    this.box.getCenter(this.target);
    const { toward, right, up } = this.axes();
    const half = Math.tan((FOV * Math.PI) / 360);
    this.fitted = 0.8;
    for (let corner = 0; corner < 8; corner += 1) {
      const place = new Vector3(...['x', 'y', 'z'].map((axis, i) => ((corner >> i) & 1 ? this.box.max : this.box.min)[axis])).sub(this.target);
      const [wide, high] = [Math.abs(place.dot(right)) / (half * this.camera.aspect), Math.abs(place.dot(up)) / half];
      this.fitted = Math.max(this.fitted, 1.06 * Math.max(wide, high) + place.dot(toward));
    }
  }

  /** Draws one picture. */
  draw() {
    this.camera.position.copy(this.target).addScaledVector(this.axes().toward, this.fitted * this.factor);
    this.camera.lookAt(this.target);
    this.light.position.copy(this.camera.position).add(new Vector3(0.5, 1.5, 0));
    this.renderer.render(this.world, this.camera);
  }

  /** Frees the graphics memory. */
  dispose() {
    for (const mesh of this.surfaces) mesh.geometry.dispose();
    this.renderer.dispose();
  }
}
