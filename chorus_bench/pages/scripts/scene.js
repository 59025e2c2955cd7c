/** The 3D scene: body, surfaces and an orbiting camera. Draws only when something changed. */
import {
  BufferAttribute, BufferGeometry, Color, DirectionalLight, DoubleSide, GridHelper, HemisphereLight, Mesh,
  MeshLambertMaterial, PerspectiveCamera, Scene, Vector3, WebGLRenderer,
} from 'three';
import { isoSurface } from './surface.js';

/** Azimuth and elevation, degrees; azimuth 0 looks at the person's front. */
export const VIEWS = { Front: [0, 5], Left: [90, 5], Back: [180, 5], Right: [-90, 5], Above: [0, 85] };

const LIMITS = { distance: [0.8, 12], elevation: [-89, 89] };
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

/** Body, surfaces and camera on one canvas. */
export class FieldScene {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true, preserveDrawingBuffer: true });
    this.renderer.setPixelRatio(Math.min(window.devicePixelRatio || 1, 2));
    this.camera = new PerspectiveCamera(35, 1, 0.05, 50);
    this.target = new Vector3(0, -0.02, 0);
    this.world = new Scene();
    this.world.add(new HemisphereLight('#ffffff', '#8a8f98', 2.2));
    this.light = new DirectionalLight('#ffffff', 1.6);
    this.world.add(this.light);
    this.surfaces = [
      { mesh: new Mesh(new BufferGeometry(), shell(0.9)), share: 1 },
      { mesh: new Mesh(new BufferGeometry(), shell(0.22)), share: 0.4 },
    ];
    for (const { mesh } of this.surfaces) this.world.add(mesh);
    [this.azimuth, this.elevation, this.distance] = [35, 12, 4.2];
    canvas.addEventListener('webglcontextrestored', () => this.draw());
  }

  /** Shows the body: vertices (V * 3) in metres, faces (F * 3). */
  setBody(vertices, faces) {
    const material = new MeshLambertMaterial({ color: new Color('#9fb3c8'), side: DoubleSide });
    this.world.add(new Mesh(geometry(vertices, faces), material));
    let floor = Infinity;
    for (let i = 1; i < vertices.length; i += 3) floor = Math.min(floor, vertices[i]);
    const grid = new GridHelper(3, 12, '#8a94a0', '#8a94a0');
    grid.material.transparent = true;
    grid.material.opacity = 0.35;
    grid.position.y = floor - 0.005;
    this.world.add(grid);
  }

  /** Shows the surface of a field at a level, and a faint one at 0.4 of it. */
  setField(values, grid, level) {
    for (const { mesh, share } of this.surfaces) {
      const { positions, indices } = isoSurface(values, grid.resolution, Math.max(1, level * share));
      mesh.geometry.dispose();
      mesh.geometry = geometry(toMetres(positions, grid), indices);
    }
    this.draw();
  }

  /** Shows or hides the faint outer surface. */
  setShell(shown) {
    this.surfaces[1].mesh.visible = shown;
    this.draw();
  }

  /** Turns by degrees. */
  turn(azimuth, elevation) {
    this.look(this.azimuth + azimuth, this.elevation + elevation);
  }

  /** Looks from an azimuth and an elevation, degrees. */
  look(azimuth, elevation) {
    this.azimuth = azimuth;
    this.elevation = clamp(elevation, LIMITS.elevation);
    this.draw();
  }

  /** Goes nearer (factor below 1) or away. */
  zoom(factor) {
    this.distance = clamp(this.distance * factor, LIMITS.distance);
    this.draw();
  }

  /** Takes the size of its place on the page. */
  resize(width, height) {
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.draw();
  }

  /** Draws one picture. */
  draw() {
    const [a, e] = [this.azimuth, this.elevation].map((degrees) => (degrees * Math.PI) / 180);
    const away = this.distance * Math.max(1, 1.25 / this.camera.aspect);
    const direction = new Vector3(Math.sin(a) * Math.cos(e), Math.sin(e), Math.cos(a) * Math.cos(e));
    this.camera.position.copy(this.target).addScaledVector(direction, away);
    this.camera.lookAt(this.target);
    this.light.position.copy(this.camera.position).add(new Vector3(0.5, 1.5, 0));
    this.renderer.render(this.world, this.camera);
  }

  /** Frees the graphics memory. */
  dispose() {
    for (const { mesh } of this.surfaces) mesh.geometry.dispose();
    this.renderer.dispose();
  }
}
