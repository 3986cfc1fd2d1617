namespace ControlPlane.Simulation;

/// <summary>
/// Wakes what owes something by what is stored, as the cluster's supervisor does from the read tables: a write may turn out
/// to be stored after the entity's next life has read the journal, and then nobody knows but the journal.
/// </summary>
sealed class Supervisor(World world)
{
    static readonly TimeSpan WalkEvery = TimeSpan.FromSeconds(30);

    readonly Process _process = new(world.Simulator, "supervisor");

    public void Begin() => _process.Run(async () =>
    {
        while (true)
        {
            await Task.Delay(WalkEvery, _process.Clock);
            if (world.Nodes.Find(node => node.Process.Alive) is not { } node)
            {
                continue;
            }
            foreach (var (id, follower) in world.Check.Followers)
            {
                if (follower.HasOpenWork)
                {
                    world.Wake(node, id, later: false);
                }
            }
        }
    });
}
