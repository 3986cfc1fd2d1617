using System.Runtime.InteropServices;
using ControlPlane.Cli;

// The program's door: the only place of cpctl that touches the real console, the clock, chance and signals.
using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Ask);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Ask);
return await Cpctl.Run(args, Surroundings.OfThisProcess(), stop.Token);

void Ask(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}
